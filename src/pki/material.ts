import { readFileBounded } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import { type Certificate, readCertificate } from './certificate.js';
import { type Crl, readCrl } from './crl.js';
import { type Csr, readCsr } from './csr.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { isPem, looksLikeDer, readPem } from './pem.js';

/** One thing in a file. A key stays closed: whoever wants it reads it with `readPrivateKey`. */
export type Item =
  | { readonly kind: 'certificate'; readonly value: Certificate }
  | { readonly kind: 'crl'; readonly value: Crl }
  | { readonly kind: 'csr'; readonly value: Csr }
  | { readonly kind: 'private-key'; readonly label: string; readonly headers: readonly string[] }
  | { readonly kind: 'public-key'; readonly der: Buffer }
  | { readonly kind: 'pkcs12'; readonly der: Buffer }
  | { readonly kind: 'unknown'; readonly label: string };

/** All certificates in a PEM or DER file, in order. Throws FILE_UNRECOGNIZED when there is none, or the errors of reading it. */
export function readCertificates(path: string): Certificate[] {
  return certificatesIn(readFileBounded(path), path);
}

/** All certificates in bytes that came from `path`. */
export function certificatesIn(bytes: Buffer, path: string): Certificate[] {
  return only(bytes, path, 'certificate', 'a certificate (PEM or DER)');
}

/** All CRLs in bytes that came from `path`. */
export function crlsIn(bytes: Buffer, path: string): Crl[] {
  return only(bytes, path, 'crl', 'a CRL (PEM or DER)');
}

/** The certification request in bytes that came from `path`. */
export function csrIn(bytes: Buffer, path: string): Csr {
  return only(bytes, path, 'csr', 'a certification request (PEM or DER)')[0]!;
}

interface Values {
  readonly certificate: Certificate;
  readonly crl: Crl;
  readonly csr: Csr;
}

function only<Kind extends keyof Values>(bytes: Buffer, path: string, kind: Kind, expected: string): Values[Kind][] {
  const items = itemsIn(bytes, path, expected);
  const found = items.flatMap((item) => (item.kind === kind && 'value' in item ? [item.value as Values[Kind]] : []));
  if (found.length > 0) return found;
  const kinds = [...new Set(items.map(describeKind))].join(', ');
  throw new MtlsError('FILE_UNRECOGNIZED', { path, expected, found: kinds === '' ? 'no PEM block' : kinds });
}

const KINDS: Readonly<Record<Item['kind'], string>> = {
  certificate: 'a certificate',
  crl: 'a CRL',
  csr: 'a certification request',
  'private-key': 'a private key',
  'public-key': 'a public key',
  pkcs12: 'a PKCS#12 file',
  unknown: 'something else',
};
const describeKind = (item: Item): string => (item.kind === 'unknown' ? `a ${item.label} block` : KINDS[item.kind]);

/**
 * What is in a file, in order: PEM blocks, or one DER value. Throws FILE_UNRECOGNIZED for noise (saying what it looks
 * like), and the `…_MALFORMED` error of a block whose label promises more than it holds.
 */
export function itemsIn(bytes: Buffer, path: string, expected = 'a certificate, CRL, certification request, key or PKCS#12 file'): Item[] {
  if (isPem(bytes))
    return named(path, () => readPem(bytes.toString('latin1')).map(({ label, der, headers }) => itemOf(label, der, headers)));
  const item = looksLikeDer(bytes) ? derItem(bytes) : undefined;
  if (item === undefined) throw new MtlsError('FILE_UNRECOGNIZED', { path, expected, found: describeNoise(bytes) });
  return [named(path, item)];
}

function itemOf(label: string, der: Buffer, headers: readonly string[]): Item {
  switch (label) {
    case 'CERTIFICATE':
    case 'X509 CERTIFICATE':
    case 'TRUSTED CERTIFICATE':
      return { kind: 'certificate', value: readCertificate(label === 'TRUSTED CERTIFICATE' ? new DerReader(der).element().whole : der) };
    case 'X509 CRL':
      return { kind: 'crl', value: readCrl(der) };
    case 'CERTIFICATE REQUEST':
    case 'NEW CERTIFICATE REQUEST':
      return { kind: 'csr', value: readCsr(der) };
    case 'PUBLIC KEY':
      return { kind: 'public-key', der };
    case 'PKCS12':
      return { kind: 'pkcs12', der };
    default:
      return label.endsWith('PRIVATE KEY') ? { kind: 'private-key', label, headers } : { kind: 'unknown', label };
  }
}

/** Tells DER values apart by their first elements, and reads the one that it is. */
function derItem(der: Buffer): (() => Item) | undefined {
  const tags = firstTags(der);
  if (tags === undefined) return undefined;
  const [first, second, third, innerFirst, innerSecond] = tags;
  if (first === TAG.integer) {
    if (second === TAG.sequence && third !== TAG.octetString) return () => ({ kind: 'pkcs12', der });
    return () => ({ kind: 'private-key', label: 'DER', headers: [] });
  }
  if (first === TAG.sequence && second === TAG.bitString) return () => ({ kind: 'public-key', der });
  if (first === TAG.sequence && second === TAG.octetString)
    return () => ({ kind: 'private-key', label: 'ENCRYPTED PRIVATE KEY', headers: [] });
  if (first !== TAG.sequence || third !== TAG.bitString) return undefined;
  // certificate: [0] version or serial; CSR: version, name, spki; CRL: version, algorithm, name, time
  if (innerFirst === contextConstructed(0)) return () => ({ kind: 'certificate', value: readCertificate(der) });
  const inner = new DerReader(der).enter().enter();
  const order: number[] = [];
  while (!inner.atEnd && order.length < 5) order.push(inner.element().tag);
  if (order[2] === TAG.sequence && order[3] === contextConstructed(0)) return () => ({ kind: 'csr', value: readCsr(der) });
  const isTime = (tag: number | undefined): boolean => tag === TAG.utcTime || tag === TAG.generalizedTime;
  if (isTime(order[3]) || isTime(order[2])) return () => ({ kind: 'crl', value: readCrl(der) });
  return innerSecond === TAG.sequence ? () => ({ kind: 'certificate', value: readCertificate(der) }) : undefined;
}

function firstTags(der: Buffer): (number | undefined)[] | undefined {
  try {
    const outer = DerReader.within(der);
    const [first, second] = [outer.element(), outer.element()];
    const third = outer.atEnd ? undefined : outer.element().tag;
    const inner = first.tag === TAG.sequence ? new DerReader(first.content) : undefined;
    const innerFirst = inner?.atEnd === false ? inner.element().tag : undefined;
    const innerSecond = inner?.atEnd === false ? inner.element().tag : undefined;
    return [first.tag, second.tag, third, innerFirst, innerSecond];
  } catch (error) {
    if (isError(error, 'DER_MALFORMED')) return undefined;
    throw error;
  }
}

/** What bytes look like that are nothing of ours. */
function describeNoise(bytes: Buffer): string {
  const start = bytes.subarray(0, 4096);
  if (/^(\ufeff)?\s*$/.test(start.toString('utf8'))) return 'blank text';
  if (/^\s*</.test(start.toString('latin1'))) return 'HTML or XML';
  if (/^\s*[{[]/.test(start.toString('latin1'))) return 'JSON';
  if (start.subarray(0, 7).toString('latin1') === 'ssh-rsa' || start.includes('ssh-ed25519')) return 'an SSH key';
  if (start[0] === TAG.sequence) return 'bytes that are not whole DER';
  return start.every((octet) => octet >= 0x20 || octet === 9 || octet === 10 || octet === 13) ? 'text without a PEM block' : 'binary data';
}

/** Errors of parsing, with the file that they come from in front. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    for (const code of ['PEM_MALFORMED', 'CERTIFICATE_MALFORMED', 'CRL_MALFORMED', 'CSR_MALFORMED'] as const) {
      if (isError(error, code)) throw new MtlsError(code, { problem: `${error.facts.problem}, in ${path}` }, { cause: error });
    }
    throw error;
  }
}
