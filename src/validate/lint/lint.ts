import { createHash } from 'node:crypto';
import { isError } from '../../errors.js';
import { type Certificate, fingerprint } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { chainSubject, standings } from './chain.js';
import { type Profile, type Rule, type RuleOn, SEVERITIES, type Severity, type Subjects } from './rule.js';
import { LINT_RULES, type LintCode } from './rules.js';
import { type Standing, type UnreadableSubject, certificateSubject, crlSubject } from './subjects.js';
import { labelled } from './wording.js';

/** One breach of one rule. */
export interface LintFinding {
  readonly code: LintCode;
  readonly severity: Severity;
  readonly message: string;
  readonly source: string;
}

/** What is asked, and as of when. */
export interface LintOptions {
  readonly at: Date;
  /** `mtls` unless told otherwise. */
  readonly profile?: Profile;
  /** Codes that are not looked for. */
  readonly ignore?: readonly string[];
  /** What is less bad is left out. */
  readonly minSeverity?: Severity;
}

/** One thing that can be linted: read, or promised and not readable. */
export type Lintable =
  | { readonly kind: 'certificate'; readonly value: Certificate }
  | { readonly kind: 'crl'; readonly value: Crl }
  | ({ readonly kind: 'unreadable' } & UnreadableSubject);

/** One thing that was linted. A finding is known again by its code and `sha256`. */
export interface LintedItem {
  /** What people call it. */
  readonly label: string;
  readonly kind: 'certificate' | 'crl' | 'chain';
  /** Of its DER; of a chain, of its certificates one after the other. */
  readonly sha256: string;
  readonly findings: readonly LintFinding[];
}

/** All that was linted in one file. */
export interface LintedFile {
  readonly file: string;
  readonly items: readonly LintedItem[];
}

/** Lints one certificate; what is said of its issuer too, where that is given (RFC 5280 §4.2.1.1). Never throws. */
export function lintCertificate(certificate: Certificate, options: LintOptions & Standing): LintFinding[] {
  return breaches('certificate', certificateSubject(certificate, options.at, options), options);
}

/** Lints a CRL. What is malformed among its entries is a finding. Never throws. */
export function lintCrl(crl: Crl, options: LintOptions): LintFinding[] {
  try {
    return breaches('crl', crlSubject(crl, options.at), options);
  } catch (error) {
    if (!isError(error, 'CRL_MALFORMED')) throw error;
    return lintUnreadable({ of: 'crl', der: crl.der, error }, options);
  }
}

/** Says why bytes are no certificate or CRL. */
export function lintUnreadable(subject: UnreadableSubject, options: LintOptions): LintFinding[] {
  return breaches('bytes', subject, options);
}

/** Lints certificates that belong together, as they stand in a file: each with its issuer, and several as a chain. */
export function lintChain(certificates: readonly Certificate[], options: LintOptions): LintedItem[] {
  const standing = standings(certificates);
  const items = certificates.map((certificate): LintedItem => {
    const findings = lintCertificate(certificate, { ...options, ...standing.get(certificate) });
    return { label: labelled(certificate.subject), kind: 'certificate', sha256: fingerprint(certificate), findings };
  });
  if (certificates.length < 2) return items;
  const digest = createHash('sha256');
  for (const { der } of certificates) digest.update(der);
  const subject = chainSubject(certificates, standing);
  const label = `${certificates.length} certificates of ${items[0]!.label}`;
  return [...items, { label, kind: 'chain', sha256: digest.digest('hex'), findings: breaches('chain', subject, options) }];
}

/** Lints all that is in a file: its certificates together, its CRLs, and what cannot be read. */
export function lintItems(items: readonly Lintable[], options: LintOptions): LintedItem[] {
  const certificates = items.flatMap((item) => (item.kind === 'certificate' ? [item.value] : []));
  return [
    ...lintChain(certificates, options),
    ...items.flatMap((item): LintedItem[] => {
      if (item.kind === 'crl') return [linted(labelled(item.value.issuer), 'crl', item.value.der, lintCrl(item.value, options))];
      return item.kind === 'unreadable' ? [linted(`unreadable ${item.of}`, item.of, item.der, lintUnreadable(item, options))] : [];
    }),
  ];
}

/** How many findings there are of each severity. */
export function countFindings(findings: readonly LintFinding[]): Readonly<Record<Severity, number>> {
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return { error: count('error'), warning: count('warning'), notice: count('notice') };
}

/** Is one at least as bad as the other? */
export const isAtLeast = (severity: Severity, limit: Severity): boolean => SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(limit);

/** The rules of a profile, in the order in which findings are told. */
export const rulesOf = (profile: Profile): readonly Rule<LintCode>[] => LINT_RULES.filter(({ profiles }) => profiles.includes(profile));

function breaches<On extends keyof Subjects>(on: On, subject: Subjects[On], options: LintOptions): LintFinding[] {
  const { profile = 'mtls', ignore = [], minSeverity = 'notice' } = options;
  const rules = rulesOf(profile).filter((rule): rule is Extract<Rule<LintCode>, RuleOn<LintCode, On>> => rule.on === on);
  return rules.flatMap(({ id: code, severity, source, check }): LintFinding[] => {
    if (ignore.includes(code) || !isAtLeast(severity, minSeverity)) return [];
    const messages = check(subject as never);
    const more = messages.length - MOST;
    const told = more > 0 ? [...messages.slice(0, MOST), `${more} more of the same`] : messages;
    return told.map((message) => ({ code, severity, message, source }));
  });
}

/** Findings of one rule about one thing that are told apart. */
const MOST = 10;

const linted = (label: string, kind: LintedItem['kind'], der: Buffer, findings: readonly LintFinding[]): LintedItem => ({
  ...{ label, kind, sha256: createHash('sha256').update(der).digest('hex'), findings },
});
