import { createHash } from 'node:crypto';
import { formatDuration } from '../base/duration.js';
import { MtlsError } from '../errors.js';
import { type Certificate, fingerprint, readCertificate } from '../pki/certificate.js';
import { serialText } from '../pki/fields.js';
import { type Name, formatName, printable, valuesOf } from '../pki/name.js';
import { OID } from '../pki/oids.js';
import type { FindingCode } from '../validate/findings.js';
import type { Verdict } from '../validate/request.js';
import type { DiagnosisCode } from './diagnoses.js';
import type { Confidence, SentCertificate } from './report.js';

/** Something wrong with the certificates of one side, as far as they show it by themselves. */
export interface Fault {
  readonly code: DiagnosisCode;
  readonly confidence: Confidence;
  readonly evidence: readonly string[];
  readonly alternatives: readonly DiagnosisCode[];
}

/** A fault that is a fact. */
export const fact = (code: DiagnosisCode, ...evidence: readonly string[]): Fault => ({
  code,
  confidence: 'certain',
  evidence,
  alternatives: [],
});

/** A certificate that was sent: read, or why it cannot be. */
export type Sent = { readonly certificate: Certificate } | { readonly der: Buffer; readonly problem: string };

/** More than any chain has; what comes after is not looked at. */
const CHAIN_LIMIT = 16;

/** Reads what a peer sent, strictly. Never throws. */
export function readChain(ders: readonly Buffer[]): Sent[] {
  return ders.slice(0, CHAIN_LIMIT).map((der) => {
    try {
      return { certificate: readCertificate(der) };
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      return { der, problem: error.message };
    }
  });
}

/** The certificates that could be read. */
export const readable = (chain: readonly Sent[]): Certificate[] =>
  chain.flatMap((sent) => ('certificate' in sent ? [sent.certificate] : []));

/** A certificate for the report. */
export function describeSent(sent: Sent): SentCertificate {
  if (!('certificate' in sent)) return { malformed: sent.problem, sha256: createHash('sha256').update(sent.der).digest('hex') };
  const { certificate } = sent;
  const { dns, ip, uri, email } = certificate.subjectAltName;
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    serial: serialText(certificate.serial),
    notBefore: iso(certificate.notBefore),
    notAfter: iso(certificate.notAfter),
    names: [...dns, ...ip, ...uri, ...email].map(printable),
    sha256: fingerprint(certificate),
  };
}

/** Both dates, the local one, and the distance. */
export function expiredEvidence(whose: string, certificate: Certificate, now: number): string {
  const { notBefore, notAfter } = certificate;
  const validity = `${whose} is valid ${iso(notBefore)} to ${iso(notAfter)}`;
  if (now > notAfter) return `${validity}; it ended ${formatDuration(now - notAfter)} before now, ${iso(now)}`;
  return `${validity}; it begins ${formatDuration(notBefore - now)} after now, ${iso(now)}`;
}

/** What a finding of the validator is called when it is about the leaf, and when about a CA above it. */
export type Translation = Partial<Record<FindingCode, { readonly leaf: DiagnosisCode; readonly above: DiagnosisCode }>>;

/** The findings of a verdict that have a diagnosis of their own, and the words of those that have none. */
export function translate(verdict: Verdict, translation: Translation, leafSubject: string): { faults: Fault[]; untranslated: string[] } {
  const faults: Fault[] = [];
  const untranslated: string[] = [];
  for (const { code, message, subject } of verdict.errors) {
    const entry = translation[code];
    if (entry === undefined) untranslated.push(message);
    else faults.push(fact(subject === undefined || subject === leafSubject ? entry.leaf : entry.above, message));
  }
  return { faults, untranslated };
}

/**
 * Does the name of an issuer that is nowhere to be seen look like that of an intermediate of a PKI whose CAs are these?
 * By its words, or by an organization in common: a guess, and told as one.
 */
export function looksIntermediate(issuer: Name, authorities: readonly Name[]): boolean {
  const names = valuesOf(issuer, OID.commonName);
  if (names.some((common) => /\broot\b/i.test(common))) return false;
  if (names.some((common) => /intermediate|issuing|\bsub(ordinate)?\b|\bint\b/i.test(common))) return true;
  const organizations = valuesOf(issuer, OID.organizationName);
  return authorities.some((authority) => valuesOf(authority, OID.organizationName).some((name) => organizations.includes(name)));
}

export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d{3}/, '');
