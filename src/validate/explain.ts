import { describeKey } from '../pki/algorithms.js';
import { isoTime, serialText } from '../pki/fields.js';
import { labelOf } from '../pki/name.js';
import { FINDINGS, type Finding } from './findings.js';
import type { Verdict, VerifyRequest } from './request.js';
import { PATH_RULES } from './rules/index.js';
import { Work, WorkExceeded } from './work.js';

/** One rule and what came of it for one certificate. */
export interface ExplainedRule {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly ok: boolean;
  /** What was expected and found where it failed, each with the section that says so. */
  readonly failures: readonly { readonly message: string; readonly source: string | null }[];
}

/** One certificate of a path, with the rules that were asked about it. */
export interface ExplainedCertificate {
  readonly name: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notAfter: string;
  readonly key: string;
  readonly anchor: boolean;
  readonly rules: readonly ExplainedRule[];
}

/** What is asked beside the rules of the path: whether it leads anywhere, and whether anything on it is revoked. */
const BESIDE = [
  {
    id: 'path',
    title: 'leads to a trust anchor',
    source: 'RFC 5280 §6.1',
    codes: ['ISSUER_NOT_FOUND', 'SELF_SIGNED_UNTRUSTED', 'SEARCH_LIMIT'],
  },
  {
    id: 'revocation',
    title: 'not revoked',
    source: 'RFC 5280 §6.3, RFC 6960 §3.2',
    codes: [
      ...['CERT_REVOKED', 'CRL_NOT_FOUND', 'CRL_EXPIRED', 'CRL_NOT_YET_VALID', 'CRL_SIGNATURE_INVALID', 'CRL_SIGN_MISSING'],
      ...['CRL_UNSUPPORTED', 'CRL_MALFORMED', 'OCSP_UNUSABLE'],
    ],
  },
] as const;

/** The path of a verdict, leaf first: each certificate with the rules that it passed and those that it did not. */
export function explainPath(request: VerifyRequest, verdict: Verdict): ExplainedCertificate[] {
  const { path: certificates, anchored, errors, warnings } = verdict;
  const path = { certificates, anchored };
  const found = new Map(PATH_RULES.map((rule) => [rule, findingsOf(() => rule.check(path, request, new Work()))]));
  const asksRevocation = request.crls.length > 0 || (request.ocsp ?? []).length > 0 || request.revocation === 'required';
  return certificates.map((certificate, at) => {
    const isHere = (finding: Finding): boolean => (finding.at ?? 0) === at;
    const rules = PATH_RULES.filter((rule) => rule.concerns(path, request).includes(at)).map((rule) =>
      outcome(rule, found.get(rule)!.filter(isHere)),
    );
    const beside = BESIDE.flatMap((rule) => {
      const codes: readonly string[] = rule.codes;
      const against = [...errors, ...warnings].filter((finding) => isHere(finding) && codes.includes(finding.code));
      const asked = rule.id === 'revocation' ? asksRevocation && at < certificates.length - 1 : at === certificates.length - 1;
      return asked || against.length > 0 ? [outcome(rule, against)] : [];
    });
    return {
      name: labelOf(certificate.subject),
      issuer: labelOf(certificate.issuer),
      serial: serialText(certificate.serial),
      notAfter: isoTime(certificate.notAfter),
      key: describeKey(certificate.publicKey),
      anchor: anchored && at === certificates.length - 1,
      rules: [...rules, ...beside],
    };
  });
}

function findingsOf(check: () => readonly Finding[]): readonly Finding[] {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof WorkExceeded)) throw error;
    return [{ code: 'SEARCH_LIMIT', message: 'more work than one verdict may cost' }];
  }
}

const outcome = ({ id, title, source }: { id: string; title: string; source: string }, findings: readonly Finding[]): ExplainedRule => ({
  ...{ id, title, source },
  ok: findings.length === 0,
  failures: findings.map(({ code, message }) => ({ message, source: FINDINGS[code].source })),
});
