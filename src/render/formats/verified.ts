import type { Report, Rule } from './report.js';

interface Verified {
  readonly certificates: readonly {
    readonly file: string;
    readonly valid: boolean;
    readonly errors: readonly { readonly code: string; readonly message: string }[];
    readonly path: readonly string[];
  }[];
}

type Findings = Readonly<Record<string, { readonly meaning: string; readonly source: string | null }>>;

/** Each certificate a check, each error a finding. */
export const verifiedReport = ({ certificates }: Verified, findings: Findings): Report => ({
  tool: { command: 'verify', document: 'docs/findings.md', ruleOf: (code) => ruleOf(findings[code], code) },
  checks: certificates.map(({ file, valid, errors, path }) => ({
    name: path[0] === undefined ? file : `${file}: ${path[0]}`,
    file,
    good: valid,
    findings: errors.map(({ code, message }) => ({ code, message, severity: 'error' })),
  })),
});

function ruleOf(known: Findings[string] | undefined, code: string): Rule {
  if (known === undefined) return { text: code };
  return { text: known.meaning, ...(known.source === null ? {} : { source: known.source }) };
}
