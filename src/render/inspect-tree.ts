import type { InspectionView } from '../pki/inspect.js';
import { left } from './inspect-lines.js';
import { branch, style } from './style.js';

type CertificateView = Extract<InspectionView, { kind: 'certificate' }>;

/** One certificate in the drawing, and in which sources it was found. */
interface Drawn {
  readonly view: CertificateView;
  readonly sources: Set<string>;
  readonly issued: Set<Drawn>;
  hasIssuer: boolean;
}

const FORK = branch.bar === '|' ? '|- ' : '├─ ';
const LAST = `${branch.corner} `;
const PASSING = `${branch.bar}  `;

/** A certificate with several issuers stands below each; cross-signs could make that very long. */
const LINES = 60;

/** Who issued whom, roots first: a line each, indented below its issuer. Nothing when no certificate issued another. */
export function renderTree(items: readonly InspectionView[], now: Date): string[] {
  const all = collect(items);
  const severalSources = new Set(all.flatMap(({ sources }) => [...sources])).size > 1;
  const lines: string[] = [];
  const drawn = new Set<Drawn>();
  const draw = (one: Drawn, own: string, below: string, above: readonly Drawn[]): void => {
    if (lines.length === LINES) return;
    drawn.add(one);
    lines.push(`  ${own}${lineOf(one, severalSources, now)}`);
    // certificates that sign each other in a circle: each stands once on a way down
    const issued = [...one.issued].filter((next) => next !== one && !above.includes(next));
    issued.forEach((next, i) => {
      const isLast = i === issued.length - 1;
      draw(next, below + (isLast ? LAST : FORK), below + (isLast ? '   ' : PASSING), [...above, one]);
    });
  };
  const parents = all.filter(({ issued }) => issued.size > 0);
  for (const one of parents) if (!one.hasIssuer) draw(one, '', '', []);
  for (const one of parents) if (!drawn.has(one)) draw(one, '', '', []);
  if (lines.length === 0) return [];
  const more = all.filter((one) => (one.hasIssuer || one.issued.size > 0) && !drawn.has(one)).length;
  return [style.strong('chain'), ...lines, ...(more > 0 ? [`  and ${more} more`] : [])];
}

/** Each certificate once, however often it was found. */
function collect(items: readonly InspectionView[]): Drawn[] {
  const byPrint = new Map<string, Drawn>();
  for (const view of items) {
    if (view.kind !== 'certificate') continue;
    const known = byPrint.get(view.fields.sha256);
    if (known === undefined)
      byPrint.set(view.fields.sha256, { view, sources: new Set([view.source]), issued: new Set(), hasIssuer: false });
    else known.sources.add(view.source);
  }
  for (const one of byPrint.values()) {
    for (const place of one.view.issuers) {
      const issuer = items[place];
      if (issuer?.kind !== 'certificate') continue;
      byPrint.get(issuer.fields.sha256)?.issued.add(one);
      one.hasIssuer = true;
    }
  }
  return [...byPrint.values()];
}

function lineOf({ view, sources }: Drawn, severalSources: boolean, now: Date): string {
  const where = severalSources ? `  ${style.dim([...sources].join(', '))}` : '';
  return `${style.strong(view.label)}, ${left(view.fields.notAfter, now)}${where}`;
}
