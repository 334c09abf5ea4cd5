import type { InspectionView } from '../pki/inspect.js';
import { day, left, listRow, octets, period, row, rowOf } from './inspect-lines.js';
import { mark, style } from './style.js';

type CertificateView = Extract<InspectionView, { kind: 'certificate' }>;
type CrlView = Extract<InspectionView, { kind: 'crl' }>;
type Details = CertificateView['details'];

/** All that a certificate says. */
export function certificateRows(item: CertificateView, now: Date): string[] {
  const { fields, details, identity } = item;
  return [
    ...(identity === null ? [] : [row('identity', identity.id)]),
    ...listRow(
      'names',
      details.names.filter((name) => name !== identity?.id),
    ),
    row('subject', item.subject),
    row('issued by', item.selfSigned === true ? 'itself' : `${item.issuer}${foundIn(item)}`),
    row('in force', validityOf(item, now)),
    ...listRow('for', item.purposes),
    ...(fields.ca ? [row('may sign', pathLengthInWords(fields.pathLen))] : []),
    ...rowOf('limits', limitsInWords(details.nameConstraints)),
    ...policyRows(details),
    row('key', [item.key, ...(fields.keyUsage.length === 0 ? [] : [`for ${fields.keyUsage.join(', ')}`])].join(' ')),
    row('signature', item.signature),
    ...rowOf('crl at', details.crlDistributionPoints.map(pointInWords)),
    ...rowOf('delta crl', details.freshestCrl.map(pointInWords)),
    ...listRow('ocsp at', details.ocsp),
    ...listRow('issuer at', details.caIssuers),
    ...rowOf(
      'access',
      details.otherAccess.map(({ method, at }) => `${method}: ${at.join(', ')}`),
    ),
    ...(details.mustStaple ? [row('tls', 'its server must staple an OCSP response')] : []),
    row('serial', fields.serial),
    ...(fields.ski === null ? [] : [row('key id', style.dim(fields.ski))]),
    ...(details.aki === null || details.aki === fields.ski ? [] : [row('issuer id', style.dim(details.aki))]),
    row('sha256', style.dim(fields.sha256)),
    row('sha1', style.dim(details.sha1)),
    row('spki', style.dim(details.spkiSha256)),
    ...extensionRows(details.otherExtensions),
  ];
}

/** All that a CRL says but its entries, and the first of these. */
export function crlRows(item: CrlView, now: Date): string[] {
  const { fields, details } = item;
  const { revokedCount, revoked, crlNumber, thisUpdate, nextUpdate } = fields;
  const more = revokedCount > revoked.length ? [`    and ${revokedCount - revoked.length} more`] : [];
  return [
    row('number', crlNumber === null ? 'none' : `${BigInt(`0x${crlNumber}`)}`),
    ...(details.deltaOf === null ? [] : [row('delta', `what changed since number ${BigInt(`0x${details.deltaOf}`)}`)]),
    row('in force', `${period(thisUpdate, nextUpdate)}${nextUpdate === null ? '' : `, ${left(nextUpdate, now)}`}`),
    ...listRow('covers', scopeInWords(details.scope)),
    ...rowOf('delta crl', details.freshestCrl.map(pointInWords)),
    row('signature', `${item.signature}${foundIn(item)}`),
    ...(details.aki === null ? [] : [row('issuer id', style.dim(details.aki))]),
    row('sha256', style.dim(details.sha256)),
    ...extensionRows(details.otherExtensions),
    row('revoked', revokedCount === 0 ? 'none' : String(revokedCount)),
    ...revoked.map(([serial, date], i) => `    ${[serial, style.dim(day(date)), ...reasonAt(details.reasons, i)].join('  ')}`),
    ...more,
  ];
}

const reasonAt = (reasons: readonly (string | null)[], i: number): string[] => {
  const reason = reasons[i] ?? null;
  return reason === null ? [] : [reason];
};

/** When a certificate is in force, and how long still. */
export const validityOf = ({ fields: { notBefore, notAfter } }: CertificateView, now: Date): string =>
  `${period(notBefore, notAfter)}, ${new Date(notBefore) > now ? style.warn('not yet') : left(notAfter, now)}`;

function foundIn({ kind, issuedBy, issuerLookedFor, source }: CertificateView | CrlView): string {
  if (!issuerLookedFor) return ` ${style.dim('(not looked for: it would take too long)')}`;
  const place = issuedBy === source ? 'found beside it' : `found in ${issuedBy}`;
  return issuedBy === null ? '' : ` ${mark.good} ${kind === 'crl' ? `by the CA ${place}` : place}`;
}

const pathLengthInWords = (length: number | null): string =>
  length === null ? 'CAs and services' : length === 0 ? 'services, no CA' : `CAs, ${length} deep`;

type Subtree = NonNullable<Details['nameConstraints']>['permitted'][number];

/** What each kind of name is called, and the names that one base stands for (RFC 5280 §4.2.1.10). */
const NAME_SPACES: Readonly<Record<string, { readonly title: string; readonly words: (base: string) => string }>> = {
  dns: { title: 'DNS names', words: (base) => (base.startsWith('.') ? `below ${base.slice(1)}` : `${base} and below`) },
  ip: { title: 'addresses', words: (base) => base },
  uri: { title: 'URIs', words: (base) => (base.startsWith('.') ? `at hosts below ${base.slice(1)}` : `at ${base}`) },
  email: {
    title: 'mailboxes',
    words: (base) => (base.startsWith('.') ? `at hosts below ${base.slice(1)}` : base.includes('@') ? base : `at ${base}`),
  },
  directory: { title: 'directory names', words: (base) => `${base} and below` },
};

/** `DNS names: only shop.test and below, never db.shop.test and below`. A kind without a line is free. */
function limitsInWords(constraints: Details['nameConstraints']): string[] {
  if (constraints === null) return [];
  const { permitted, excluded } = constraints;
  const kinds = [...new Set([...permitted, ...excluded].map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const listed = (subtrees: readonly Subtree[]): string[] => subtrees.filter((one) => one.kind === kind).map(subtreeInWords);
    const [only, never] = [listed(permitted), listed(excluded)];
    const parts = [...(only.length === 0 ? [] : [`only ${few(only)}`]), ...(never.length === 0 ? [] : [`never ${few(never)}`])];
    return `${NAME_SPACES[kind]?.title ?? 'rare names'}: ${parts.join(', ')}`;
  });
}

function subtreeInWords({ kind, base }: Subtree): string {
  const space = NAME_SPACES[kind];
  if (space === undefined) return base;
  return base === '' || (kind === 'directory' && base === '(empty)') ? 'any' : space.words(base);
}

const few = (texts: readonly string[]): string =>
  texts.length <= 10 ? texts.join(' or ') : `${texts.slice(0, 10).join(' or ')} or ${texts.length - 10} more`;

function policyRows({ policies, policyMappings, policyConstraints }: Details): string[] {
  const { requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } = policyConstraints;
  const from = (skip: number | null, what: string): string[] =>
    skip === null ? [] : [skip === 0 ? what : `${what} after ${skip} more certificate${skip === 1 ? '' : 's'}`];
  return [
    ...listRow(
      'policies',
      policies.map(({ policy, name }) => name ?? policy),
    ),
    ...listRow(
      'mapped',
      policyMappings.map(({ issuerDomain, subjectDomain }) => `${issuerDomain} is ${subjectDomain}`),
    ),
    ...listRow('below it', [
      ...from(requireExplicitPolicy, 'a policy is needed'),
      ...from(inhibitPolicyMapping, 'no policy is mapped'),
      ...from(inhibitAnyPolicy, 'anyPolicy is none'),
    ]),
  ];
}

function pointInWords({ at, reasons, crlIssuer }: Details['crlDistributionPoints'][number]): string {
  return [
    at.length === 0 ? 'no place' : at.join(' or '),
    ...(reasons === null ? [] : [`for ${reasons.join(', ')} only`]),
    ...(crlIssuer === null ? [] : [`issued by ${crlIssuer.join(' or ')}`]),
  ].join(', ');
}

function scopeInWords(scope: CrlView['details']['scope']): string[] {
  if (scope === null) return [];
  return [
    ...(scope.onlyContainsUserCerts ? ['end-entity certificates only'] : []),
    ...(scope.onlyContainsCACerts ? ['CA certificates only'] : []),
    ...(scope.onlyContainsAttributeCerts ? ['attribute certificates only'] : []),
    ...(scope.onlySomeReasons === null ? [] : [`only ${scope.onlySomeReasons.join(', ')}`]),
    ...(scope.indirectCrl ? ['certificates of other issuers too'] : []),
    ...(scope.at.length === 0 ? [] : [`what points at ${scope.at.join(' or ')}`]),
  ];
}

/** What we do not read, as it stands: its identifier, whether it is critical, its bytes. */
function extensionRows(extensions: Details['otherExtensions']): string[] {
  const lines = extensions.map(({ oid, name, critical, value, problem }) => {
    const title = `${name === null ? oid : `${name} (${oid})`}${critical ? `, ${style.warn('critical')}` : ''}`;
    return `${title}: ${style.dim(octets(value))}${problem === null ? '' : ` ${mark.bad} ${problem}`}`;
  });
  return rowOf('extension', lines);
}
