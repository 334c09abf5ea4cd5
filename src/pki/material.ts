import { FILE_LIMIT, readFileBounded } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import { isIndefinite } from './ber.js';
import { type Certificate, readCertificate } from './certificate.js';
import { type Crl, readCrl } from './crl.js';
import { type Csr, readCsr } from './csr.js';
import { type DerElement, DerReader, TAG, contextConstructed } from './der.js';
import { isPem, looksLikeDer, type PemBlock, readPem } from './pem.js';
import { readPkcs7 } from './pkcs7.js';

/** One thing in a file. A key stays closed: whoever wants it reads its `bytes` (a PEM block, or DER) with `readPrivateKey`. */
export type Item =
  | { readonly kind: 'certificate'; readonly value: Certificate; readonly container?: 'PKCS#7' }
  | { readonly kind: 'crl'; readonly value: Crl; readonly container?: 'PKCS#7' }
  | { readonly kind: 'csr'; readonly value: Csr }
  | { readonly kind: 'private-key'; readonly label: string; readonly headers: readonly string[]; readonly bytes: Buffer }
  | { readonly kind: 'public-key'; readonly der: Buffer }
  | { readonly kind: 'pkcs12'; readonly der: Buffer }
  | { readonly kind: 'unknown'; readonly label: string };

/** All certificates in a PEM, DER or PKCS#7 file, in order. Throws FILE_UNRECOGNIZED when there is none, or the errors of reading it. */
export function readCertificates(path: string): Certificate[] {
  return certificatesIn(readFileBounded(path, FILE_LIMIT, 'a certificate (PEM or DER)'), path);
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
const describeKind = (item: Item): string => (item.kind === 'unknown' ? `a block labelled ${item.label}` : KINDS[item.kind]);

const ANYTHING = 'a certificate, CRL, certification request, key, PKCS#7 or PKCS#12 file';

/**
 * What is in a file, in order: PEM blocks, or one DER value; PKCS#7 is what it carries. Throws FILE_UNRECOGNIZED for noise
 * (saying what it looks like), and the `…_MALFORMED` error of a block whose label promises more than it holds.
 */
export function itemsIn(bytes: Buffer, path: string, expected = ANYTHING): Item[] {
  if (isPem(bytes))
    return named(path, () =>
      readPem(bytes).flatMap((block) => (PKCS7_LABELS.has(block.label) ? carriedIn(block.der, path) : [itemOf(block)])),
    );
  const read = looksLikeDer(bytes) ? derItems(bytes, path) : pkcs12InBer(bytes);
  if (read === undefined) throw new MtlsError('FILE_UNRECOGNIZED', { path, expected, found: describeNoise(bytes) });
  return named(path, read);
}

const PKCS7_LABELS: ReadonlySet<string> = new Set(['PKCS7', 'CMS']);

function carriedIn(der: Buffer, path: string): Item[] {
  const { certificates, crls } = readPkcs7(der, path);
  return [
    ...certificates.map((value): Item => ({ kind: 'certificate', value, container: 'PKCS#7' })),
    ...crls.map((value): Item => ({ kind: 'crl', value, container: 'PKCS#7' })),
  ];
}

function itemOf(block: PemBlock): Item {
  const { label, der, headers } = block;
  switch (label) {
    case 'CERTIFICATE':
    case 'X509 CERTIFICATE':
    case 'TRUSTED CERTIFICATE':
      return { kind: 'certificate', value: readCertificate(label === 'TRUSTED CERTIFICATE' ? firstElement(der) : der) };
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
      if (!label.endsWith('PRIVATE KEY')) return { kind: 'unknown', label };
      return { kind: 'private-key', label, headers, bytes: Buffer.from(block.text, 'latin1') };
  }
}

/** OpenSSL's TRUSTED CERTIFICATE is a certificate with what it is trusted for behind it. */
function firstElement(der: Buffer): Buffer {
  return leadingElements(der, 1)[0]?.whole ?? der;
}

/**
 * Tells DER values apart by the tags of their first elements, and reads the one that it is. Undefined: none of these.
 *
 *     INTEGER SEQUENCE OCTET STRING    PKCS#8            SEQUENCE SEQUENCE BIT STRING   what is signed, by its content:
 *     INTEGER OCTET STRING             SEC 1               [0] …                         certificate of version 2 or 3
 *     INTEGER INTEGER INTEGER          PKCS#1, DSA         INTEGER alg name validity     certificate of version 1
 *     INTEGER SEQUENCE [SEQUENCE]      PKCS#12             INTEGER name spki [0]         CSR
 *     SEQUENCE OCTET STRING            encrypted PKCS#8    [INTEGER] alg name time       CRL
 *     SEQUENCE BIT STRING              SPKI
 *     OBJECT IDENTIFIER [0]            PKCS#7, CMS
 */
function derItems(der: Buffer, path: string): (() => Item[]) | undefined {
  const tags = firstTags(der);
  if (tags.outer[0] === TAG.oid) return tags.outer[1] === contextConstructed(0) ? () => carriedIn(der, path) : undefined;
  const read = derItem(der, tags);
  return read === undefined ? undefined : () => [read()];
}

/** A PFX, as NSS and old Windows write it, is the one thing that may be no DER; its reader reads it. */
function pkcs12InBer(bytes: Buffer): (() => Item[]) | undefined {
  const version = Buffer.of(TAG.integer, 1, 3);
  if (!isIndefinite(bytes) || !bytes.subarray(2, 5).equals(version) || bytes[5] !== TAG.sequence) return undefined;
  return () => [{ kind: 'pkcs12', der: bytes }];
}

function derItem(der: Buffer, { outer, inner }: Tags): (() => Item) | undefined {
  const [first, second, third] = outer;
  const closed = (label: string) => (): Item => ({ kind: 'private-key', label, headers: [], bytes: der });
  if (first === TAG.integer) {
    if (second === TAG.sequence) return third === TAG.octetString ? closed('DER') : () => ({ kind: 'pkcs12', der });
    return second === TAG.octetString || (second === TAG.integer && third === TAG.integer) ? closed('DER') : undefined;
  }
  if (first !== TAG.sequence) return undefined;
  if (second === TAG.bitString) return () => ({ kind: 'public-key', der });
  if (second === TAG.octetString) return closed('ENCRYPTED PRIVATE KEY');
  if (second !== TAG.sequence || third !== TAG.bitString) return undefined;
  const isTime = (tag: number | undefined): boolean => tag === TAG.utcTime || tag === TAG.generalizedTime;
  if (inner[0] === contextConstructed(0)) return () => ({ kind: 'certificate', value: readCertificate(der) });
  if (isTime(inner[2]) || isTime(inner[3])) return () => ({ kind: 'crl', value: readCrl(der) });
  if (inner[0] !== TAG.integer || inner[1] !== TAG.sequence || inner[2] !== TAG.sequence) return undefined;
  // the attributes of a CSR are required and left out by some
  if (inner[3] === contextConstructed(0) || inner.length === 3) return () => ({ kind: 'csr', value: readCsr(der) });
  return () => ({ kind: 'certificate', value: readCertificate(der) });
}

/** The tags of the first elements of a SEQUENCE, and of those within its first element: as many as are DER. */
interface Tags {
  readonly outer: readonly number[];
  readonly inner: readonly number[];
}

function firstTags(der: Buffer): Tags {
  const outer = leadingElements(der.subarray(der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f)), 3);
  const inner = outer[0]?.tag === TAG.sequence ? leadingElements(outer[0].content, 5) : [];
  return { outer: outer.map(({ tag }) => tag), inner: inner.map(({ tag }) => tag) };
}

function leadingElements(content: Buffer, count: number): DerElement[] {
  const found: DerElement[] = [];
  const reader = new DerReader(content);
  try {
    while (!reader.atEnd && found.length < count) found.push(reader.element());
  } catch (error) {
    // what is wrong is said by the reader of whatever this turns out to be
    if (!isError(error, 'DER_MALFORMED')) throw error;
  }
  return found;
}

/** What bytes look like that are nothing of ours. */
function describeNoise(bytes: Buffer): string {
  const start = bytes.subarray(0, 4096);
  if (looksLikeDer(bytes)) return 'DER of another kind';
  if (start[0] === TAG.sequence && start[1]! >= 0x80) {
    if (start[1] === 0x80) return 'BER of indefinite length, which is not DER';
    return leadingElements(bytes, 1).length === 0 ? 'torn DER' : 'DER with something behind it';
  }
  const [low, high] = start;
  if ((low === 0xff && high === 0xfe) || (low === 0xfe && high === 0xff)) return 'text in UTF-16; save it as UTF-8';
  const text = start
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (text === '') return 'blank text';
  if (text.startsWith('<')) return 'HTML or XML';
  if (/^[{[]/.test(text)) return 'JSON';
  if (/^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+@openssh\.com|---- BEGIN SSH2) /.test(text)) return 'an SSH key';
  return start.every((octet) => octet >= 0x20 || octet === 9 || octet === 10 || octet === 13) ? 'text without a PEM block' : 'binary data';
}

/** Errors of parsing, with the file that they come from behind. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    for (const code of ['PEM_MALFORMED', 'CERTIFICATE_MALFORMED', 'CRL_MALFORMED', 'CSR_MALFORMED'] as const) {
      if (isError(error, code)) throw new MtlsError(code, { problem: error.facts.problem, path }, { cause: error });
    }
    throw error;
  }
}
