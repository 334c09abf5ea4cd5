import { CRL_FILE_LIMIT, readFileBounded } from '../../base/files.js';
import { MtlsError, isError } from '../../errors.js';
import { readCertificate } from '../../pki/certificate.js';
import { readCrl } from '../../pki/crl.js';
import { DerReader, TAG } from '../../pki/der.js';
import { type Item, itemsIn } from '../../pki/material.js';
import { isPem, readPem } from '../../pki/pem.js';
import type { Lintable } from './lint.js';

const EXPECTED = 'a certificate or a CRL (PEM or DER)';

/** What a label of PEM promises (RFC 7468 §5, §7). */
const PROMISES: Readonly<Record<string, 'certificate' | 'crl'>> = {
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'TRUSTED CERTIFICATE': 'certificate',
  'X509 CRL': 'crl',
};

/** What can be linted in a file. Throws what reading it throws, and FILE_UNRECOGNIZED when nothing in it promises a certificate or a CRL. */
export const lintablesOf = (path: string): Lintable[] => lintablesIn(readFileBounded(path, CRL_FILE_LIMIT), path);

/** The same of bytes that came from `path`. Keys and requests among PEM blocks are passed over. */
export function lintablesIn(bytes: Buffer, path: string): Lintable[] {
  if (!isPem(bytes)) return [derLintable(bytes, path)];
  const blocks = readPem(bytes.toString('latin1'));
  const found = blocks.flatMap(({ label, der }): Lintable[] => {
    const promise = PROMISES[label];
    if (promise === undefined) return [];
    return [read(promise, label === 'TRUSTED CERTIFICATE' ? firstElement(der) : der)];
  });
  if (found.length > 0) return found;
  const labels = [...new Set(blocks.map(({ label }) => label))].join(', ');
  throw new MtlsError('FILE_UNRECOGNIZED', {
    path,
    expected: EXPECTED,
    found: labels === '' ? 'no PEM block' : `a block labelled ${labels}`,
  });
}

/** Reads what promises to be a certificate or CRL. */
export function read(of: 'certificate' | 'crl', der: Buffer): Lintable {
  try {
    return of === 'certificate' ? { kind: of, value: readCertificate(der) } : { kind: of, value: readCrl(der) };
  } catch (error) {
    if (!isError(error, 'CERTIFICATE_MALFORMED') && !isError(error, 'CRL_MALFORMED')) throw error;
    return { kind: 'unreadable', of, der, error };
  }
}

function derLintable(bytes: Buffer, path: string): Lintable {
  // of indefinite length: nobody can say what it holds, and what lies about without PEM is mostly a certificate
  if (bytes[0] === TAG.sequence && bytes[1] === 0x80) return read('certificate', bytes);
  let items: Item[];
  try {
    items = itemsIn(bytes, path, EXPECTED);
  } catch (error) {
    if (isError(error, 'CERTIFICATE_MALFORMED')) return read('certificate', bytes);
    if (isError(error, 'CRL_MALFORMED')) return read('crl', bytes);
    throw error;
  }
  const [item] = items;
  if (item?.kind === 'certificate' || item?.kind === 'crl') return item;
  throw new MtlsError('FILE_UNRECOGNIZED', { path, expected: EXPECTED, found: `a ${item!.kind.replace('-', ' ')}` });
}

/** OpenSSL's TRUSTED CERTIFICATE is a certificate with what it is trusted for behind it. */
function firstElement(der: Buffer): Buffer {
  try {
    return new DerReader(der).element().whole;
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    return der;
  }
}
