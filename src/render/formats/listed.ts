import type { ListedCertificate } from '../../authority/index.js';
import type { Check, Report, ReportedFinding, Rule } from './report.js';

const RULES = {
  CERT_EXPIRED: { text: 'out of date (RFC 5280 §6.1.3 a 2)' },
  CERT_ENDS_SOON: { text: 'ends within the time that --expiring gives' },
} as const satisfies Readonly<Record<string, Rule>>;

interface Listed {
  readonly certificates: readonly ListedCertificate[];
  /** Those among them that end within `within`. */
  readonly due: readonly ListedCertificate[];
  readonly within?: string;
  /** Where a certificate is; undefined for one that another took the place of. */
  readonly fileOf: (certificate: ListedCertificate) => string | undefined;
}

/** Each certificate a check; what is due is a finding. */
export function listedReport({ certificates, due, within = '', fileOf }: Listed): Report {
  const serials = new Set(due.map(({ serial }) => serial));
  return {
    tool: { command: 'list', ruleOf: (code) => RULES[code as keyof typeof RULES] },
    checks: certificates.map((certificate): Check => {
      const { name, serial } = certificate;
      const file = fileOf(certificate);
      const findings = serials.has(serial) ? [findingOf(certificate, within)] : [];
      return { ...(file === undefined ? { name: `${name} ${serial}` } : { name, file }), good: findings.length === 0, findings };
    }),
  };
}

function findingOf({ name, notAfter, daysLeft }: ListedCertificate, within: string): ReportedFinding {
  const days = `${Math.abs(daysLeft)} day${Math.abs(daysLeft) === 1 ? '' : 's'}`;
  if (daysLeft < 0) return { code: 'CERT_EXPIRED', severity: 'error', message: `${name}: ended ${notAfter}, ${days} ago` };
  return { code: 'CERT_ENDS_SOON', severity: 'error', message: `${name}: ends ${notAfter}, expected more than ${within}, found ${days}` };
}
