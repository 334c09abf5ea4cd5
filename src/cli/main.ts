import type { LoadOptions } from '@oclif/core/interfaces';
import { EXIT, MtlsError } from '../errors.js';
import { beforeEnd } from './base-command.js';
import { asksForJson } from './format.js';
import { interruption } from './interruption.js';
import { outputFailure, watchOutput, writeErr, writeOut } from './output.js';
import type { Typed } from './typed.js';

/** What oclif asks of a module of `commands/`. */
interface CommandModule {
  readonly default: {
    id?: string;
    readonly run: (argv: string[], config: LoadOptions) => Promise<unknown>;
    readonly flags?: object;
    readonly baseFlags?: object;
  };
}

type Commands = Readonly<Record<string, () => Promise<CommandModule>>>;

/**
 * Runs the command line `argv`; `root` is the directory of package.json. Sets the exit code. `commands` are ours, so that one
 * of them starts without being searched for.
 */
export async function main(argv: string[], root: string, commands: Commands): Promise<void> {
  // eslint-disable-next-line no-restricted-properties -- who interrupts a command that does not stop by itself waits for nothing
  interruption.listen(() => process.exit(EXIT.interrupted));
  let told: Promise<void> | undefined;
  const tell = (error: unknown): Promise<void> => (told ??= report(error, argv, commands));
  // nobody is told any more what is done: what runs long comes to its end
  const watch = (): void =>
    watchOutput((error) => {
      void tell(error);
      interruption.stop();
    });
  watch();
  try {
    const run = await commandOf(argv, root, commands);
    watch();
    await run();
  } catch (error) {
    await tell(error);
  }
  await told;
  if (told === undefined && interruption.by === 'SIGINT') process.exitCode = EXIT.interrupted;
}

/** The command of the plugin. */
const AUTOCOMPLETE = 'autocomplete';

/** What runs the command line: a command of ours, or oclif with its one plugin, which costs the commands nothing. */
async function commandOf(argv: string[], root: string, commands: Commands): Promise<() => Promise<unknown>> {
  const { id, words } = commandIn(argv, commands);
  if (id !== undefined && !beforeEnd(words).includes('--help')) {
    const [{ default: command }, { commandConfig }] = await Promise.all([commands[id]!(), import('./command-config.js')]);
    command.id = id;
    return () => command.run(words, commandConfig(root));
  }
  const { assertCommand } = await import('./usage.js');
  assertCommand(argv, [...Object.keys(commands), AUTOCOMPLETE].map(wordsOf));
  const [{ run }] = await Promise.all([import('@oclif/core/run'), import('@oclif/core/command')]);
  return () => run(argv, { root, pluginAdditions: { core: ['@oclif/plugin-autocomplete'] } });
}

async function report(error: unknown, argv: readonly string[], commands: Commands): Promise<void> {
  const typed = await typedBy(argv, commands);
  const known = await asKnown(error, typed);
  if (known === undefined) return;
  process.exitCode = known.exitCode;
  const { hintsFor } = await import('./hints.js');
  const { code, message } = known;
  const hints = hintsFor(known, typed);
  const wantsJson = asksForJson(beforeEnd(argv)) && outputFailure() === undefined;
  if (!wantsJson || !(await isTaken(`${JSON.stringify({ error: { code, message, hints } })}\n`))) {
    const { renderError } = await import('../render/error.js');
    await writeErr(renderError({ message, hints }));
  }
  if (process.env['MTLS_DEBUG'] === '1') await writeErr(`${(error as Error).stack ?? String(error)}\n`);
}

const isTaken = (text: string): Promise<boolean> =>
  writeOut(text).then(
    () => true,
    () => false,
  );

async function typedBy(argv: readonly string[], commands: Commands): Promise<Typed> {
  const { id, words } = commandIn(argv, commands);
  if (id === undefined) return { command: argv[0] === AUTOCOMPLETE ? AUTOCOMPLETE : undefined, words, flags: [] };
  const { flags = {}, baseFlags = {} } = (await commands[id]!()).default;
  return { command: wordsOf(id), words, flags: [...Object.keys(flags), ...Object.keys(baseFlags)] };
}

/** The command that was typed, in one word or two, and what stands behind it. */
function commandIn(argv: readonly string[], commands: Commands): { readonly id: string | undefined; readonly words: string[] } {
  const [first = '', second] = argv;
  const ofTwo = `${first}:${second}`;
  if (Object.hasOwn(commands, ofTwo)) return { id: ofTwo, words: argv.slice(2) };
  return { id: Object.hasOwn(commands, first) ? first : undefined, words: argv.slice(1) };
}

/** `crl serve`, which oclif calls `crl:serve`. */
const wordsOf = (id: string): string => id.replaceAll(':', ' ');

/** Every error as one of ours; undefined for an exit that oclif asks for (`--help`). What nobody foresaw is a bug. */
async function asKnown(error: unknown, typed: Typed): Promise<MtlsError | undefined> {
  if (error instanceof MtlsError) return error;
  const oclif = (error as { oclif?: { exit?: number } } | undefined)?.oclif;
  if (oclif !== undefined && error instanceof Error) {
    if (oclif.exit === 0) return undefined;
    const { usageError } = await import('./usage.js');
    return usageError(error, typed);
  }
  return new MtlsError('INTERNAL', { problem: error instanceof Error ? error.message : String(error) }, { cause: error });
}
