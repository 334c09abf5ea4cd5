import type { CertificateSubject, ChainSubject, CrlSubject, UnreadableSubject } from './subjects.js';

/** How bad a finding is: a must was broken, something will hurt, something is worth knowing. Worst first. */
export const SEVERITIES = ['error', 'warning', 'notice'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Whose rules are asked about. */
export const PROFILES = ['mtls', 'rfc5280', 'spiffe', 'kubernetes'] as const;
export type Profile = (typeof PROFILES)[number];

/** The profiles of a rule, by where it comes from. */
export const OF_RFC5280: readonly Profile[] = ['mtls', 'rfc5280', 'spiffe', 'kubernetes'];
export const ONLY_MTLS: readonly Profile[] = ['mtls'];
export const OF_TLS: readonly Profile[] = ['mtls', 'kubernetes'];
export const OF_SPIFFE: readonly Profile[] = ['mtls', 'spiffe'];
export const ONLY_SPIFFE: readonly Profile[] = ['spiffe'];
export const ONLY_KUBERNETES: readonly Profile[] = ['kubernetes'];

/** One rule. `check` says what was expected and found, once for each breach. */
export interface RuleOn<Id extends string, On extends keyof Subjects> {
  readonly on: On;
  readonly id: Id;
  readonly severity: Severity;
  /** Where it is written. */
  readonly source: string;
  readonly profiles: readonly Profile[];
  /** What is wrong, in a line. */
  readonly title: string;
  readonly check: (subject: Subjects[On]) => readonly string[];
}

/** What a rule is asked of. */
export interface Subjects {
  readonly bytes: UnreadableSubject;
  readonly certificate: CertificateSubject;
  readonly chain: ChainSubject;
  readonly crl: CrlSubject;
}

/** A rule of any kind. */
export type Rule<Id extends string = string> = { [On in keyof Subjects]: RuleOn<Id, On> }[keyof Subjects];

type Written<Id extends string, On extends keyof Subjects> = Omit<RuleOn<Id, On>, 'on'>;

export const bytesRule = <const Id extends string>(rule: Written<Id, 'bytes'>): RuleOn<Id, 'bytes'> => ({ on: 'bytes', ...rule });
export const certificateRule = <const Id extends string>(rule: Written<Id, 'certificate'>): RuleOn<Id, 'certificate'> => ({
  on: 'certificate',
  ...rule,
});
export const chainRule = <const Id extends string>(rule: Written<Id, 'chain'>): RuleOn<Id, 'chain'> => ({ on: 'chain', ...rule });
export const crlRule = <const Id extends string>(rule: Written<Id, 'crl'>): RuleOn<Id, 'crl'> => ({ on: 'crl', ...rule });
