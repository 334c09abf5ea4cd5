import { type NewCas, takeCas } from '../authority/index.js';
import { assertPrivate, readFileBounded } from '../base/files.js';
import { readPrivateKey, isEncryptedKey } from '../pki/key.js';
import { readCertificates } from '../pki/material.js';
import { type PassphraseFlags, passphraseSource } from './passphrase.js';
import { crlsFrom } from './trust.js';

interface TakenFlags extends PassphraseFlags {
  readonly 'from-ca'?: string | undefined;
  readonly 'from-key'?: string | undefined;
  readonly 'from-chain'?: readonly string[] | undefined;
  readonly 'from-crl'?: readonly string[] | undefined;
}

/** The CA that the flags want to be taken over, found fit; undefined when there is none. Throws CA_NOT_FIT, KEY_MISMATCH and the errors of reading files. */
export async function takenFrom(flags: TakenFlags, now: Date): Promise<NewCas | undefined> {
  const { 'from-ca': path, 'from-key': keyPath, 'from-chain': chain = [], 'from-crl': crls = [] } = flags;
  if (path === undefined || keyPath === undefined) return undefined;
  const [certificate, ...above] = readCertificates(path);
  assertPrivate(keyPath);
  const bytes = readFileBounded(keyPath);
  const key = readPrivateKey(bytes, keyPath, isEncryptedKey(bytes) ? await passphraseSource(flags)(keyPath) : undefined);
  const all = [...above, ...chain.flatMap(readCertificates)];
  return takeCas({ path, certificate: certificate!, key, chain: all, crls: crlsFrom(crls) }, keyPath, now);
}
