import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, MtlsError, systemCode } from '../errors.js';
import { beforeEnd } from './base-command.js';
import { interruption } from './interruption.js';
import { writeErr, writeOut } from './output.js';

/** What oclif asks of a module of `commands/`. */
interface CommandModule {
  readonly default: { readonly run: (argv: string[], entry: string) => Promise<unknown> };
}

/**
 * Runs the command line `argv`; `entry` is the URL of the program, for oclif to find package.json by. Sets the exit code.
 * The shipped bundle brings its commands along in `bundled`, so that one of them starts without being searched for.
 */
export async function main(
  argv: string[],
  entry: string,
  bundled: Readonly<Record<string, () => Promise<CommandModule>>> = {},
): Promise<void> {
  interruption.listen();
  // a reader that went away (`| head`) ends the talk, not with a stack trace
  for (const stream of [process.stdout, process.stderr]) stream.on('error', (error) => systemCode(error) !== 'EPIPE' && reportLater(error));
  try {
    const [id = '', ...words] = argv;
    if (Object.hasOwn(bundled, id) && !beforeEnd(words).includes('--help')) await (await bundled[id]!()).default.run(words, entry);
    else await runOclif(argv, entry);
  } catch (error) {
    await report(error, argv, entry);
  }
}

/** Help, `autocomplete`, and words that are no command: with the one plugin, which costs the commands nothing. */
async function runOclif(argv: string[], entry: string): Promise<void> {
  const { run } = await import('@oclif/core/run');
  await run(argv, { root: fileURLToPath(entry), pluginAdditions: { core: ['@oclif/plugin-autocomplete'] } });
}

function reportLater(error: unknown): void {
  process.exitCode = EXIT.bug;
  throw error;
}

async function report(error: unknown, argv: readonly string[], entry: string): Promise<void> {
  const known = asKnown(error, helpHint(argv[0], entry));
  if (known === undefined) return;
  process.exitCode = known.exitCode;
  const { code, message, hints } = known;
  if (beforeEnd(argv).includes('--json')) await writeOut(`${JSON.stringify({ error: { code, message, hints } })}\n`);
  else {
    const { renderError } = await import('../render/error.js');
    await writeErr(renderError(known));
  }
  if (process.env['MTLS_DEBUG'] === '1') await writeErr(`${(error as Error).stack ?? String(error)}\n`);
}

/** Every error as one of ours; undefined for an exit that oclif asks for (`--help`). What nobody foresaw is a bug. */
function asKnown(error: unknown, hint: string): MtlsError | undefined {
  if (error instanceof MtlsError) return error;
  const oclif = (error as { oclif?: { exit?: number } } | undefined)?.oclif;
  if (oclif !== undefined && error instanceof Error) {
    if (oclif.exit === 0) return undefined;
    return new MtlsError('USAGE', { problem: inOneLine(error.message), hint }, { cause: error });
  }
  return new MtlsError('INTERNAL', { problem: error instanceof Error ? error.message : String(error) }, { cause: error });
}

/** What oclif says in several lines, with what is only noise left out. */
function inOneLine(message: string): string {
  const text = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(See more help|Note:|Alternatively, |The following errors? occurred)/.test(line))
    .join(' ');
  return text.replace(/ {2,}/g, ': ').replace(/^./, (first) => first.toLowerCase());
}

/** The help that is nearest: the command's own, where there is such a command. */
function helpHint(command = '', entry: string): string {
  const isCommand = /^[a-z]+$/.test(command) && existsSync(new URL(`../dist/commands/${command}.js`, entry));
  return isCommand ? `mtls ${command} --help` : 'mtls --help';
}
