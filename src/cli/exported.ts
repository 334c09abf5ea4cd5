import { isatty } from 'node:tty';
import { MtlsError, shellWord } from '../errors.js';
import { type Inspected, exportOf, pemOf } from '../pki/inspect.js';
import type { Outcome } from './outcome.js';
import { writeErr, writeOut } from './output.js';

/**
 * What was found, encoded again: all of it in PEM, or one thing in DER, which is written at once. Private keys are left
 * out, and that is said. Throws USAGE when nothing is left, and for DER of several things or to a terminal.
 */
export async function exported(items: readonly Inspected[], form: 'pem' | 'der'): Promise<Outcome | undefined> {
  const things = items.flatMap((item) => exportOf(item) ?? []);
  const keys = items.filter(({ kind }) => kind === 'private-key');
  const source = items[0]?.source ?? '';
  if (things.length === 0) {
    const problem = keys.length > 0 ? 'a private key is not printed, and nothing else was found' : 'nothing was found that can be printed';
    throw new MtlsError('USAGE', { problem, ...(keys.length > 0 ? { hint: `openssl pkey -in ${shellWord(source)}` } : {}) });
  }
  if (form === 'der') {
    const hint = `mtls inspect ${shellWord(source)}`;
    if (things.length > 1)
      throw new MtlsError('USAGE', { problem: `--der writes one thing, found ${things.length}`, hint: `${hint} --pem` });
    if (isatty(process.stdout.fd))
      throw new MtlsError('USAGE', { problem: 'DER is bytes, and stdout is a terminal', hint: `${hint} --der > FILE` });
  }
  if (keys.length > 0) await writeErr(`left out: ${keys.length} private key${keys.length === 1 ? '' : 's'}\n`);
  if (form === 'pem') return { result: {}, text: () => pemOf(items) };
  await writeOut(things[0]!.der);
  return undefined;
}
