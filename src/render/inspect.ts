import type { MtlsError } from '../errors.js';
import type { InspectionView, Oddity } from '../pki/inspect.js';
import { certificateRows, crlRows, validityOf } from './inspect-rows.js';
import { row, rowOf } from './inspect-lines.js';
import { renderTree } from './inspect-tree.js';
import { mark, style } from './style.js';

type View<Kind extends InspectionView['kind']> = Extract<InspectionView, { kind: Kind }>;

/** How a server shook hands. */
export interface ShownEndpoint {
  readonly source: string;
  readonly version: string;
  readonly cipher: string;
  readonly group: string | null;
  /** null when it asks for no certificate. */
  readonly acceptedAuthorities: readonly string[] | null;
  readonly client: { readonly sent: string | null; readonly problem: string | null };
}

interface Inspection {
  readonly items: readonly InspectionView[];
  readonly endpoints: readonly ShownEndpoint[];
  readonly now: Date;
}

/** How many certificates of one source are shown in full; more of them are a bundle, a line each. */
const IN_FULL = 6;

/** What was found, source by source, in the words of a person; then who issued whom. */
export function renderInspection({ items, endpoints, now }: Inspection): string {
  const bySource = new Map<string, InspectionView[]>();
  for (const { source } of endpoints) bySource.set(source, []);
  for (const item of items) {
    const beside = bySource.get(item.source);
    if (beside === undefined) bySource.set(item.source, [item]);
    else beside.push(item);
  }
  const blocks = [...bySource].map(([source, found]) => [
    ...endpoints.filter((endpoint) => endpoint.source === source).flatMap(endpointLines),
    ...sourceLines(source, found, now),
  ]);
  return [...blocks, renderTree(items, now)]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** A source that could not be looked at, beside others that could. */
export const renderUnreadable = ({ message, hints }: Pick<MtlsError, 'message' | 'hints'>): string =>
  [`${mark.bad} ${message}`, ...hints.map((hint) => `  ${mark.hint} ${hint}`)].join('\n');

function endpointLines({ source, version, cipher, group, acceptedAuthorities, client }: ShownEndpoint): string[] {
  return [
    `${style.strong(source)}  ${[version, cipher, ...(group === null ? [] : [group])].join(', ')}`,
    row('asks for', acceptedAuthorities === null ? 'no client certificate' : `a certificate of ${authoritiesIn(acceptedAuthorities)}`),
    ...(acceptedAuthorities === null ? [] : [row('you sent', client.sent ?? 'none')]),
    `  ${client.problem === null ? `${mark.good} the handshake went through` : `${mark.warn} ${client.problem}`}`,
  ];
}

const authoritiesIn = (names: readonly string[]): string =>
  names.length === 0 ? 'any CA' : [...names.slice(0, 3), ...(names.length > 3 ? [`${names.length - 3} more`] : [])].join(' or ');

function sourceLines(source: string, items: readonly InspectionView[], now: Date): string[] {
  const certificates = items.filter((item) => item.kind === 'certificate');
  const rest = items.filter((item) => item.kind !== 'certificate' || certificates.length <= IN_FULL);
  const shown = rest.flatMap((item) => [`${style.strong(source)}  ${titleOf(item)}`, ...detailsOf(item, now)]);
  if (certificates.length <= IN_FULL) return shown;
  const { container } = certificates[0]!;
  const title = `${style.strong(source)}  ${container === undefined ? '' : `${container}: `}${certificates.length} certificates`;
  return [title, ...certificates.map((item) => `  ${item.label}  ${style.dim(validityOf(item, now))}${oddCount(item)}`), ...shown];
}

const oddCount = ({ odd }: View<'certificate'>): string => (odd === null || odd.length === 0 ? '' : `  ${mark.warn} ${odd.length} odd`);

function titleOf(item: InspectionView): string {
  return item.container === undefined ? titleWithin(item) : `${item.container}: ${titleWithin(item)}`;
}

function titleWithin(item: InspectionView): string {
  switch (item.kind) {
    case 'certificate':
      return `certificate of ${item.root ? 'the root CA ' : item.fields.ca ? 'the CA ' : ''}${item.label}`;
    case 'crl':
      return `certificate revocation list of ${item.issuer}`;
    case 'csr':
      return `certification request of ${item.subject}`;
    case 'private-key':
      return item.key === null ? 'private key, encrypted' : `private key, ${item.key}`;
    case 'public-key':
      return `public key, ${item.key}`;
    case 'unknown':
      return `PEM block labelled ${item.label}, which is nothing of ours`;
  }
}

function detailsOf(item: InspectionView, now: Date): string[] {
  switch (item.kind) {
    case 'certificate':
      return [...certificateRows(item, now), ...oddRows(item.odd)];
    case 'crl':
      return [...crlRows(item, now), ...oddRows(item.odd)];
    case 'csr':
      return csrRows(item);
    case 'private-key':
    case 'public-key':
      return keyRows(item);
    case 'unknown':
      return [];
  }
}

function oddRows(odd: readonly Oddity[] | null): string[] {
  if (odd === null) return [row('odd', style.dim('not looked for: it would take too long'))];
  return rowOf(
    'odd',
    odd.map(({ code, severity, message }) => `${severity === 'error' ? mark.bad : mark.warn} ${code}  ${message}`),
  );
}

function csrRows({ key, signedByKey, details, purposes }: View<'csr'>): string[] {
  const { names, asksFor, spkiSha256 } = details;
  return [
    row('asks for', names.join(', ') || 'no names'),
    ...(asksFor.ca ? [row('and', style.warn('to be a CA'))] : []),
    ...(purposes.length === 0 ? [] : [row('for', purposes.join(', '))]),
    row('key', [key, ...(asksFor.keyUsage.length === 0 ? [] : [`for ${asksFor.keyUsage.join(', ')}`])].join(' ')),
    row('spki', style.dim(spkiSha256)),
    `  ${signedByKey ? `${mark.good} signed by its own key` : `${mark.bad} not signed by the key that it asks a certificate for`}`,
  ];
}

function keyRows({ key, belongsTo, source, details }: View<'private-key' | 'public-key'>): string[] {
  if (key === null) return [`  to look inside: mtls inspect ${source} --passphrase-file FILE`];
  return [
    ...(details === null ? [] : [row('spki', style.dim(details.spkiSha256))]),
    ...(belongsTo === null
      ? []
      : [
          belongsTo.length > 0
            ? `  ${mark.good} the key of ${belongsTo.join(', ')}`
            : `  ${mark.bad} the key of none of these certificates`,
        ]),
  ];
}
