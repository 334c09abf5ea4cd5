import { statSync } from 'node:fs';
import { isError } from '../errors.js';
import { type Inspected, inspectFile } from '../pki/inspect.js';
import { type PassphraseFlags, type PassphraseSource, isSomebodyThere, namesPassphrase } from './passphrase.js';

/**
 * Everything in a file, what is encrypted being opened as the flags say. Without any, an encrypted key stays closed, which
 * is a value too, and somebody is asked about a PKCS#12 file. Throws what `inspectFile` and `source` throw.
 */
export async function inspectOpening(path: string, flags: PassphraseFlags, source: PassphraseSource): Promise<Inspected[]> {
  if (namesPassphrase(flags)) return inspectFile(path, await source(path));
  try {
    return inspectFile(path);
  } catch (error) {
    // what a pipe holds is read once
    if (!isError(error, 'KEY_ENCRYPTED') || !isSomebodyThere() || !statSync(path).isFile()) throw error;
    return inspectFile(path, await source(path));
  }
}
