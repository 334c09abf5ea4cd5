import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type { Outcome } from './outcome.js';
import { writeOut } from './output.js';

/**
 * The one base of all commands. A command returns an outcome; this prints it, as JSON or as text, and sets the exit code.
 * What a command throws goes up to `main`, which prints it the one way.
 */
export abstract class BaseCommand extends Command {
  static override readonly baseFlags = {
    json: Flags.boolean({ summary: 'print one JSON object and nothing else', helpGroup: 'GLOBAL' }),
  };

  /** What the command does. Commands that print line by line return undefined when they are through. */
  protected abstract execute(): Promise<Outcome | undefined>;

  override async run(): Promise<void> {
    const outcome = await this.execute();
    if (outcome === undefined) return;
    await writeOut(this.wantsJson() ? `${JSON.stringify(outcome.result)}\n` : ensureNewline(await outcome.text()));
    process.exitCode = outcome.exitCode ?? 0;
  }

  /** Errors keep their class: oclif would print them its own way. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }

  protected wantsJson(): boolean {
    return beforeEnd(this.argv).includes('--json');
  }
}

/** The words that may be flags: those before `--`. */
export function beforeEnd(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

const ensureNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
