import type { KeyObject } from 'node:crypto';
import { FILE_LIMIT, assertPrivate, readFileBounded } from '../../base/files.js';
import { MtlsError, isError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { isEncryptedKey, readPrivateKey } from '../../pki/key.js';
import { type Item, itemsIn } from '../../pki/material.js';
import { type Pkcs12, readPkcs12 } from '../../pki/pkcs12.js';
import type { PassphraseSource } from '../workspace.js';

/** Something in a file. */
export interface InFile<T> {
  readonly path: string;
  readonly value: T;
}

/** What was found in files: each certificate and each key once, in order, and nothing of it believed yet. */
export interface Found {
  readonly certificates: readonly InFile<Certificate>[];
  readonly keys: readonly InFile<KeyObject>[];
  /** What is neither, in words. */
  readonly others: readonly InFile<string>[];
}

/** No file is opened with more keys: each may cost seconds, and one is wanted. */
const KEYS = 2;
/** No more certificates than this are looked at: a bundle of all that browsers trust has a hundred and fifty. */
const CERTIFICATES = 1_000;

/**
 * Reads PEM, DER, PKCS#7 and PKCS#12. `passphrase` opens what is encrypted; of PKCS#12 it is tried first whether there is none,
 * which takes as long again, unless one `isNamed`. Throws what reading them throws, PASSPHRASE_WRONG
 * among it; FILE_MODE_TOO_OPEN where a key lies open in a file that others can read.
 */
export async function findIn(paths: readonly string[], passphrase: PassphraseSource, isNamed = false): Promise<Found> {
  const certificates: InFile<Certificate>[] = [];
  const keys: InFile<KeyObject>[] = [];
  const others: InFile<string>[] = [];
  const addCertificate = (path: string, value: Certificate): void => {
    if (!certificates.some((known) => known.value.der.equals(value.der))) certificates.push({ path, value });
    if (certificates.length > CERTIFICATES) throw unfit(path, `more than ${CERTIFICATES} certificates`);
  };
  const addKey = (path: string, value: KeyObject): void => {
    if (!keys.some((known) => known.value.equals(value))) keys.push({ path, value });
  };
  for (const path of paths) {
    const items = itemsIn(readFileBounded(path, FILE_LIMIT, 'a certificate or a key'), path);
    const closed = items.filter(({ kind }) => kind === 'private-key' || kind === 'pkcs12');
    if (closed.length > KEYS) throw unfit(path, `${closed.length} private keys in it, expected one`);
    for (const item of items) {
      if (item.kind === 'certificate') addCertificate(path, item.value);
      else if (item.kind === 'private-key') addKey(path, await openKey(item, path, passphrase));
      else if (item.kind === 'pkcs12') {
        const { certificates: some, keys: its } = isNamed
          ? readPkcs12(item.der, await passphrase(path), path)
          : await openPkcs12(item.der, path, passphrase);
        for (const each of some) addCertificate(path, each);
        for (const each of its.slice(0, KEYS)) addKey(path, each);
      } else others.push({ path, value: item.kind === 'unknown' ? `a block labelled ${item.label}` : OTHERS[item.kind] });
    }
  }
  return { certificates, keys, others };
}

const OTHERS = { crl: 'a CRL', csr: 'a certification request', 'public-key': 'a public key' } as const;

const unfit = (path: string, problem: string): MtlsError => new MtlsError('IMPORT_NOT_FIT', { path, problems: [problem] });

async function openKey({ bytes }: Extract<Item, { kind: 'private-key' }>, path: string, passphrase: PassphraseSource): Promise<KeyObject> {
  if (isEncryptedKey(bytes)) return readPrivateKey(bytes, path, await passphrase(path));
  assertPrivate(path);
  return readPrivateKey(bytes, path);
}

/** One without a passphrase, or with an empty one, asks nobody. */
async function openPkcs12(der: Buffer, path: string, passphrase: PassphraseSource): Promise<Pkcs12> {
  try {
    const opened = readPkcs12(der, '', path);
    if (opened.keys.length > 0) assertPrivate(path);
    return opened;
  } catch (error) {
    if (!isError(error, 'PASSPHRASE_WRONG')) throw error;
  }
  return readPkcs12(der, await passphrase(path), path);
}
