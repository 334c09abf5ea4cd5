import type { Certificate } from '../../pki/certificate.js';
import { labelOf } from '../../pki/name.js';
import type { Finding, FindingCode } from '../findings.js';
import type { Path, VerifyRequest } from '../request.js';
import type { Work } from '../work.js';

/** One rule of a valid path. The validator asks all of them; `verify --explain` prints them. */
export interface Rule {
  readonly id: string;
  /** What holds where it passes, for people. */
  readonly title: string;
  readonly source: string;
  /** The certificates that it looks at, by their places in the path; the leaf is 0. */
  readonly concerns: (path: Path, request: VerifyRequest) => readonly number[];
  readonly check: (path: Path, request: VerifyRequest, work: Work) => readonly Finding[];
}

/** Every certificate of the path. */
export const all = ({ certificates }: Path): number[] => certificates.map((_, i) => i);
/** Those that issued another one. */
export const issuers = ({ certificates }: Path): number[] => certificates.slice(1).map((_, i) => i + 1);

/** A finding about the certificate at `at`. */
export function finding(code: FindingCode, certificate: Certificate, at: number, message: string): Finding {
  const subject = labelOf(certificate.subject);
  return { code, message: `${subject}: ${message}`, subject, at };
}

/** What `check` finds with each certificate of the path that `concerns` names. */
export const each =
  (
    concerns: Rule['concerns'],
    check: (certificate: Certificate, at: number, request: VerifyRequest) => readonly Finding[],
  ): Rule['check'] =>
  (path, request) =>
    concerns(path, request).flatMap((at) => check(path.certificates[at]!, at, request));

/** A time for people: ISO 8601 in UTC, to the second. */
export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('.000', '');
