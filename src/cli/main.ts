import { existsSync } from 'node:fs';
import { EXIT, MtlsError, systemCode } from '../errors.js';
import { wantsJson } from './base-command.js';
import { interruption } from './interruption.js';
import { writeErr, writeOut } from './output.js';

/** Runs the command line `argv`; `entry` is the URL of the program, for oclif to find package.json by. Sets the exit code. */
export async function main(argv: string[], entry: string): Promise<void> {
  interruption.listen();
  // a reader that went away (`| head`) ends the talk, not with a stack trace
  for (const stream of [process.stdout, process.stderr]) stream.on('error', (error) => systemCode(error) !== 'EPIPE' && reportLater(error));
  try {
    const { run } = await import('@oclif/core/run');
    await run(argv, entry);
  } catch (error) {
    await report(error, wantsJson(argv));
  }
}

function reportLater(error: unknown): void {
  process.exitCode = EXIT.bug;
  throw error;
}

async function report(error: unknown, json: boolean): Promise<void> {
  const known = asKnown(error);
  if (known === undefined) return;
  process.exitCode = known.exitCode;
  const { code, message, hints } = known;
  if (json) await writeOut(`${JSON.stringify({ error: { code, message, hints } })}\n`);
  else {
    const { renderError } = await import('../render/error.js');
    await writeErr(renderError(known));
  }
  if (process.env['MTLS_DEBUG'] === '1') await writeErr(`${(error as Error).stack ?? String(error)}\n`);
}

/** Every error as one of ours; undefined for an exit that oclif asks for (`--help`). What nobody foresaw is a bug. */
function asKnown(error: unknown): MtlsError | undefined {
  if (error instanceof MtlsError) return error;
  const oclif = (error as { oclif?: { exit?: number } } | undefined)?.oclif;
  if (oclif !== undefined && error instanceof Error) {
    if (oclif.exit === 0) return undefined;
    return new MtlsError('USAGE', { problem: inOneLine(error.message), hint: helpHint() }, { cause: error });
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
function helpHint(): string {
  const command = process.argv[2] ?? '';
  const isCommand =
    /^[a-z]+$/.test(command) && ['js', 'ts'].some((type) => existsSync(new URL(`../commands/${command}.${type}`, import.meta.url)));
  return isCommand ? `mtls ${command} --help` : 'mtls --help';
}
