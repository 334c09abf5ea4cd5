import type { ExplainedCertificate } from '../validate/index.js';
import { branch, mark, style } from './style.js';

/**
 * A path as a drawing, the anchor on top: below each certificate the rules that it passed in one line, and those that it
 * did not in a line each.
 *
 *     root CA  trust anchor, EC P-256, until 2036-01-01
 *     │  ✓ in force · a CA that may sign certificates
 *     └─ api  EC P-256, until 2026-04-01
 *           ✗ for this purpose: expected clientAuth, found serverAuth (RFC 5280 §4.2.1.12)
 */
export function renderPath(certificates: readonly ExplainedCertificate[]): string {
  const top = certificates.at(-1);
  const missing = top === undefined || top.anchor ? [] : [{ title: `${style.bad('?')} ${top.issuer}`, lines: [] }];
  const found = certificates.toReversed().map((certificate) => ({ title: titleOf(certificate), lines: linesOf(certificate) }));
  const steps = [...missing, ...found];
  return steps
    .flatMap(({ title, lines }, depth) => {
      const margin = '   '.repeat(Math.max(0, depth - 1));
      const below = `${depth === 0 ? '' : `${margin}   `}${depth === steps.length - 1 ? '   ' : `${branch.bar}  `}`;
      return [`${depth === 0 ? '' : `${margin}${branch.corner} `}${title}`, ...lines.map((line) => `${below}${line}`)];
    })
    .join('\n');
}

function titleOf({ name, key, notAfter, anchor }: ExplainedCertificate): string {
  return `${style.strong(name)}  ${style.dim([...(anchor ? ['trust anchor'] : []), key, `until ${notAfter.slice(0, 10)}`].join(', '))}`;
}

function linesOf({ rules }: ExplainedCertificate): string[] {
  const passed = rules.filter(({ ok }) => ok).map(({ title }) => title);
  const failed = rules.filter(({ ok }) => !ok);
  return [
    ...(passed.length === 0 ? [] : [`${mark.good} ${passed.join(' · ')}`]),
    ...failed.flatMap(({ failures }) =>
      failures.map(({ message, source }) => `${mark.bad} ${message}${source === null ? '' : ` ${style.dim(`(${source})`)}`}`),
    ),
  ];
}
