import { formatDuration } from '../base/duration.js';
import type { MtlsError } from '../errors.js';
import type { InspectionView } from '../pki/inspect.js';
import { mark, style } from './style.js';

type View<Kind extends InspectionView['kind']> = Extract<InspectionView, { kind: Kind }>;

/** How many certificates of one source are shown in full; more of them are a bundle, a line each. */
const IN_FULL = 6;

/** What was found, source by source, in the words of a person. */
export function renderInspection(items: readonly InspectionView[], now: Date): string {
  const sources = [...new Set(items.map(({ source }) => source))];
  return sources
    .map((source) =>
      renderSource(
        source,
        items.filter((item) => item.source === source),
        now,
      ),
    )
    .join('\n\n');
}

/** A source that could not be looked at, beside others that could. */
export const renderUnreadable = ({ message, hints }: Pick<MtlsError, 'message' | 'hints'>): string =>
  [`${mark.bad} ${message}`, ...hints.map((hint) => `  ${mark.hint} ${hint}`)].join('\n');

function renderSource(source: string, items: readonly InspectionView[], now: Date): string {
  const certificates = items.filter((item) => item.kind === 'certificate');
  if (certificates.length > IN_FULL) {
    const lines = certificates.map((item) => `  ${item.label}  ${style.dim(validity(item, now))}`);
    return [`${style.strong(source)}  ${certificates.length} certificates`, ...lines].join('\n');
  }
  return items.map((item) => [`${style.strong(source)}  ${titleOf(item)}`, ...detailsOf(item, now)].join('\n')).join('\n');
}

function titleOf(item: InspectionView): string {
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
      return certificateDetails(item, now);
    case 'crl':
      return crlDetails(item, now);
    case 'csr': {
      const { dns, ip, uri } = item.fields;
      return [
        row('asks for', [...uri, ...dns, ...ip].join(', ') || 'no names'),
        row('key', item.key),
        `  ${item.signedByKey ? `${mark.good} signed by its own key` : `${mark.bad} not signed by the key that it asks a certificate for`}`,
      ];
    }
    case 'private-key':
    case 'public-key':
      return keyDetails(item);
    case 'unknown':
      return [];
  }
}

function certificateDetails(item: View<'certificate'>, now: Date): string[] {
  const { fields } = item;
  const names = [...fields.dns, ...fields.ip, ...fields.email];
  return [
    ...(fields.uri.length === 0 ? [] : [row('identity', fields.uri.join(', '))]),
    ...(names.length === 0 ? [] : [row('names', names.join(', '))]),
    row('subject', item.subject),
    row('issued by', item.root ? 'itself' : `${item.issuer}${foundIn(item)}`),
    row('in force', validity(item, now)),
    ...(item.purposes.length === 0 ? [] : [row('for', item.purposes.join(', '))]),
    ...(fields.ca
      ? [
          row(
            'may sign',
            fields.pathLen === null ? 'CAs and services' : fields.pathLen === 0 ? 'services, no CA' : `CAs, ${fields.pathLen} deep`,
          ),
        ]
      : []),
    row('key', [item.key, ...(fields.keyUsage.length === 0 ? [] : [`for ${fields.keyUsage.join(', ')}`])].join(' ')),
    row('signature', item.signature),
    row('serial', fields.serial),
    row('sha256', style.dim(fields.sha256)),
  ];
}

const foundIn = ({ issuedBy, source }: View<'certificate'>): string =>
  issuedBy === null ? '' : ` ${mark.good} ${issuedBy === source ? 'found beside it' : `found in ${issuedBy}`}`;

function crlDetails({ fields, signature }: View<'crl'>, now: Date): string[] {
  const { revokedCount, revoked, crlNumber } = fields;
  const more = revokedCount > revoked.length ? [`    and ${revokedCount - revoked.length} more`] : [];
  return [
    row('number', crlNumber === null ? 'none' : `${BigInt(`0x${crlNumber}`)}`),
    row(
      'in force',
      `${day(fields.thisUpdate)} to ${fields.nextUpdate === null ? '?' : `${day(fields.nextUpdate)}, ${left(fields.nextUpdate, now)}`}`,
    ),
    row('signature', signature),
    row('revoked', revokedCount === 0 ? 'none' : String(revokedCount)),
    ...revoked.map(([serial, date]) => `    ${serial}  ${style.dim(day(date))}`),
    ...more,
  ];
}

function keyDetails({ key, belongsTo, source }: View<'private-key' | 'public-key'>): string[] {
  if (key === null) return [`  to look inside: mtls inspect ${source} --passphrase-file FILE`];
  if (belongsTo === null) return [];
  return [
    belongsTo.length > 0 ? `  ${mark.good} the key of ${belongsTo.join(', ')}` : `  ${mark.bad} the key of none of these certificates`,
  ];
}

const row = (name: string, value: string): string => `  ${name.padEnd(10)} ${value}`;
const day = (iso: string): string => iso.slice(0, 10);
const validity = ({ fields }: View<'certificate'>, now: Date): string =>
  `${day(fields.notBefore)} to ${day(fields.notAfter)}, ${new Date(fields.notBefore) > now ? style.warn('not yet') : left(fields.notAfter, now)}`;

function left(end: string, now: Date): string {
  const span = new Date(end).getTime() - now.getTime();
  return span < 0 ? style.bad(`ended ${formatDuration(span)} ago`) : `${formatDuration(span)} left`;
}
