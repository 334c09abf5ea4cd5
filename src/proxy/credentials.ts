import { createSecureContext } from 'node:tls';
import { CRL_FILE_LIMIT, FILE_LIMIT, assertPrivate, readFileBounded } from '../base/files.js';
import { MtlsError, systemCode } from '../errors.js';
import { describeKey } from '../pki/algorithms.js';
import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { isoTime } from '../pki/fields.js';
import { isKeyOf, privateKeyToPem, readPrivateKey } from '../pki/key.js';
import { crlsIn, readCertificates } from '../pki/material.js';
import { formatName } from '../pki/name.js';
import { toPem } from '../pki/pem.js';
import { crlFault, isCrlOf } from '../validate/crl-faults.js';

/** Where a sidecar has its own from. */
export interface CredentialFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** Of one CA, or of several in a file each; asked for whenever they are looked at, where a CA may be added. */
  readonly crl?: string | readonly string[] | (() => readonly string[]);
  /** What opens the key, asked for whenever the files are read: it may change with the key. */
  readonly passphrase?: () => string | undefined;
}

/** What a sidecar is and whom it trusts: read whole, found to fit together, and never changed. */
export interface Credentials {
  readonly chain: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly crls: readonly Crl[];
  /** For node:tls. OpenSSL gets no CRL: it would refuse everyone as soon as one is missing or late, without a reason. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
}

/**
 * Reads and checks what a sidecar needs to begin: its certificate in force and matching its key, the CAs, and CRLs that
 * one of these CAs signed. Throws the first thing that is wrong, so that what is in use stays in use.
 */
export function loadCredentials(files: CredentialFiles, now: Date): Credentials {
  assertPrivate(files.key);
  const chain = readCertificates(files.certificate);
  const own = chain[0]!;
  const key = readPrivateKey(readFileBounded(files.key, FILE_LIMIT, 'a private key'), files.key, files.passphrase?.());
  if (!isKeyOf(key, own.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate: files.certificate, key: files.key });
  if (now.getTime() < own.notBefore || now.getTime() > own.notAfter) {
    const dates = { notBefore: isoTime(own.notBefore), notAfter: isoTime(own.notAfter), now: isoTime(now) };
    throw new MtlsError('CERTIFICATE_NOT_IN_FORCE', { path: files.certificate, ...dates });
  }
  const roots = readCertificates(files.ca);
  const listed = crlFiles(files).flatMap((path) => crlsIn(readFileBounded(path, CRL_FILE_LIMIT), path).map((crl) => ({ path, crl })));
  assertOfCas(listed, [...roots, ...chain.slice(1)], now);
  const crls = listed.map(({ crl }) => crl);
  const pem = (certificates: readonly Certificate[]): string => certificates.map(({ der }) => toPem('CERTIFICATE', der)).join('');
  const tls = { cert: pem(chain), key: privateKeyToPem(key), ca: pem(roots) };
  assertUsable(tls, own);
  return { chain, roots, crls, tls };
}

/** Where the CRLs are. */
export function crlFiles({ crl = [] }: Pick<CredentialFiles, 'crl'>): readonly string[] {
  if (typeof crl === 'function') return crl();
  return typeof crl === 'string' ? [crl] : crl;
}

/** OpenSSL has an opinion of its own about keys and signatures; it is asked now, while there is a way back. */
function assertUsable(tls: Credentials['tls'], own: Certificate): void {
  try {
    createSecureContext(tls);
  } catch (error) {
    const expected = `one that OpenSSL takes (${systemCode(error) ?? 'it gives no reason'})`;
    throw new MtlsError('KEY_TYPE_UNSUPPORTED', { found: describeKey(own.publicKey), expected });
  }
}

interface ListedCrl {
  readonly path: string;
  readonly crl: Crl;
}

/**
 * A CRL that is late is taken: whoever it is about is refused, with that reason. One of a CA that is not at hand may be of one
 * that peers will send; that there is none of any CA at hand is a mistake.
 */
function assertOfCas(listed: readonly ListedCrl[], authorities: readonly Certificate[], now: Date): void {
  const strangers = listed.filter((each) => !isOfCa(each, authorities, now));
  const [first] = strangers;
  if (first === undefined || strangers.length < listed.length) return;
  const problem = 'none of the trusted CAs has that name and key';
  throw new MtlsError('CRL_NOT_OF_CA', { path: first.path, issuer: formatName(first.crl.issuer), problem });
}

/** Is it of one of these? Throws CRL_NOT_OF_CA for one that says so and is not. */
function isOfCa({ path, crl }: ListedCrl, authorities: readonly Certificate[], now: Date): boolean {
  const ca = authorities.find((certificate) => isCrlOf(crl, certificate));
  if (ca === undefined) return false;
  const fault = crlFault(crl, ca, { at: now });
  const isLate = fault?.code === 'CRL_EXPIRED' || fault?.code === 'CRL_NOT_YET_VALID';
  if (fault !== undefined && !isLate)
    throw new MtlsError('CRL_NOT_OF_CA', { path, issuer: formatName(crl.issuer), problem: fault.message });
  return true;
}
