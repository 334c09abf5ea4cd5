import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { type Format, formatOf, inFormat } from './format.js';
import type { Outcome } from './outcome.js';
import { writeOut } from './output.js';

/** What oclif's parser puts out: by name, of whatever type the flag or argument has. */
type Output = Record<string, unknown>;

/**
 * The one base of all commands. A command returns an outcome; this prints it, in the format that was asked for, and sets
 * the exit code. What a command throws goes up to `main`, which prints it the one way.
 */
export abstract class BaseCommand extends Command {
  static override readonly baseFlags = {
    json: Flags.boolean({ summary: 'print one JSON object and nothing else', helpGroup: 'GLOBAL' }),
  };

  #format: Format = 'text';

  /** What the command does. Commands that print line by line return undefined when they are through. */
  protected abstract execute(): Promise<Outcome | undefined>;

  override async run(): Promise<void> {
    const outcome = await this.execute();
    if (outcome === undefined) return;
    const setting = { version: this.config.version, directory: process.cwd() };
    await writeOut(await inFormat(this.#format, outcome, setting));
    process.exitCode = outcome.exitCode ?? 0;
  }

  /** Commands parse for themselves, so that their flags have types; what all of them print by is kept here. */
  protected override async parse<F extends Output, B extends Output, A extends Output>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv);
    this.#format = formatOf(parsed.flags);
    return parsed;
  }

  /** Errors keep their class: oclif would print them its own way. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}

/** The words that may be flags: those before `--`. */
export function beforeEnd(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}
