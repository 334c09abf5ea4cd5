import type { Advice, Inspected } from '../pki/inspect.js';

/** More than this many things, or octets of entries of a CRL, are not looked at for what is odd: it would take longer than all else. */
const ITEMS_LINTED = 1_000;
const ENTRIES_LINTED = 4_000_000;

/** What is odd, as `mtls lint` finds it, without what is only worth knowing. */
export async function oddIn(found: readonly Inspected[], now: Date): Promise<Advice['oddIn']> {
  const linted = found.filter(({ kind }) => kind === 'certificate' || kind === 'crl').length;
  if (linted === 0 || linted > ITEMS_LINTED) return () => undefined;
  const { lintCertificate, lintCrl } = await import('../validate/lint/index.js');
  const options = { at: now, minSeverity: 'warning' } as const;
  return (item, issuer) => {
    if (item.kind === 'crl' && item.value.revoked.length > ENTRIES_LINTED) return undefined;
    const findings = item.kind === 'crl' ? lintCrl(item.value, options) : lintCertificate(item.value, { ...options, issuer });
    return findings.map(({ code, severity, message }) => ({ code, severity, message }));
  };
}
