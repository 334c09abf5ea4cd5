import { domainToASCII } from 'node:url';
import { ipToBytes, ipToText } from '../../base/bytes.js';
import { type Certificate, isSelfIssued } from '../../pki/certificate.js';
import { DerReader, TAG } from '../../pki/der.js';
import type { NameConstraints, Subtree } from '../../pki/name-constraints.js';
import { type Name, isWithinName, labelOf, printable, shortNameOf, valuesOf } from '../../pki/name.js';
import { OID } from '../../pki/oids.js';
import type { Finding } from '../findings.js';
import { isDnsName } from '../names.js';
import type { Path } from '../request.js';
import { Work } from '../work.js';
import { valueOf } from './extensions.js';
import { type Rule, finding } from './rule.js';

/** How many names are compared with a subtree in one unit of work. */
const COMPARISONS_PER_UNIT = 250;

export const nameConstraints: Rule = {
  id: 'name-constraints',
  title: 'names that the CAs above it may issue for',
  source: 'RFC 5280 §6.1.3 (b), (c), §4.2.1.10',
  concerns: (path) => {
    const highest = path.certificates.findLastIndex((certificate) => valueOf(certificate, OID.nameConstraints) !== undefined);
    return path.certificates.flatMap((_, at) => (at < highest && isConstrained(path, at) ? [at] : []));
  },
  check: (path, _, work) => {
    const findings: Finding[] = [];
    for (const [above, ca] of path.certificates.entries()) {
      const constraints = valueOf(ca, OID.nameConstraints);
      for (let at = 0; constraints !== undefined && at < above; at++) {
        if (!isConstrained(path, at)) continue;
        const certificate = path.certificates[at]!;
        const fault = violation(namesOf(certificate), constraints, work);
        if (fault !== undefined)
          findings.push(finding('NAME_CONSTRAINT', certificate, at, `${fault}, by the name constraints of ${labelOf(ca.subject)}`));
      }
    }
    return findings;
  },
};

/** Self-issued certificates are let pass, but for the last one (RFC 5280 §6.1.3 b). */
const isConstrained = ({ certificates }: Path, at: number): boolean => at === 0 || !isSelfIssued(certificates[at]!);

/** Why a CA with these constraints may not sign for these names; undefined when it may. */
export function constraintFault(
  { dns = [], ip = [], uri = [] }: { readonly dns?: readonly string[]; readonly ip?: readonly string[]; readonly uri?: readonly string[] },
  constraints: NameConstraints,
): string | undefined {
  return violation([...dns.map(presentedDns), ...ip.map(presentedIp), ...uri.map(presentedUri)], constraints, new Work());
}

/** One name of a certificate as the constraints see it. */
type Presented =
  | { readonly kind: 'dns'; readonly value: string; readonly name: string }
  | { readonly kind: 'uri'; readonly value: string; readonly host: string | undefined }
  | { readonly kind: 'email'; readonly value: string; readonly mailbox: Mailbox | undefined }
  | { readonly kind: 'ip'; readonly value: string; readonly octets: Buffer }
  | { readonly kind: 'directory'; readonly value: Name }
  | { readonly kind: 'other'; readonly tag: number };

const presentedDns = (value: string): Presented => ({ kind: 'dns', value, name: value.toLowerCase() });
const presentedIp = (value: string): Presented => ({ kind: 'ip', value, octets: ipToBytes(value)! });
const presentedUri = (value: string): Presented => ({ kind: 'uri', value, host: hostOfUri(value) });

const presented = new WeakMap<Certificate, readonly Presented[]>();

/** The names that constraints apply to (RFC 5280 §4.2.1.10): those of the SAN, the subject, and its e-mail addresses where the SAN has none. */
function namesOf(certificate: Certificate): readonly Presented[] {
  const known = presented.get(certificate);
  if (known !== undefined) return known;
  const { subject, subjectAltName: names } = certificate;
  const internationalized = names.otherName.flatMap(({ type, value }) => (type === OID.smtpUtf8Mailbox ? [mailboxIn(value)] : []));
  const mailboxes = [...names.email, ...internationalized];
  const found: Presented[] = [
    ...names.dns.map(presentedDns),
    ...names.ip.map(presentedIp),
    ...names.uri.map(presentedUri),
    ...(mailboxes.length > 0 ? mailboxes : valuesOf(subject, OID.emailAddress)).map(
      (value) => ({ kind: 'email', value, mailbox: splitMailbox(value) }) as const,
    ),
    ...[...(subject.attributes.length === 0 ? [] : [subject]), ...names.directory].map((value) => ({ kind: 'directory', value }) as const),
    ...names.other.map((tag) => ({ kind: 'other', tag }) as const),
  ];
  presented.set(certificate, found);
  return found;
}

/** No host, and so no mailbox and no URI that can be compared, is longer. */
const LONGEST_NAME = 8_192;

/** A SmtpUTF8Mailbox is bound by constraints on mailboxes too, by its host as A-labels (RFC 9598 §6); what is none matches nothing. */
function mailboxIn(value: Buffer): string {
  if (value[0] !== TAG.utf8String) return '';
  const text = new DerReader(value).content(TAG.utf8String).toString('utf8');
  const at = text.lastIndexOf('@') + 1;
  return text.length > LONGEST_NAME ? '' : `${text.slice(0, at)}${domainToASCII(text.slice(at))}`;
}

/** What is wrong with the names by these constraints: excluded, or not permitted where names of its kind are limited. */
function violation(names: readonly Presented[], { permitted, excluded }: NameConstraints, work: Work): string | undefined {
  for (const name of names) {
    work.spend(((permitted.length + excluded.length) * lengthOf(name)) / COMPARISONS_PER_UNIT);
    const allowed = permitted.filter((subtree) => isSameKind(subtree, name));
    const refused = excluded.filter((subtree) => isSameKind(subtree, name));
    if (allowed.length === 0 && refused.length === 0) continue;
    if (name.kind === 'other') return `has a name of kind [${name.tag}], which is constrained and not supported: refused`;
    if (!isReadable(name)) return `${name.kind} ${textOf(name)} is malformed, so that nobody can tell whether it is allowed`;
    const excluding = refused.find((subtree) => touches(name, subtree));
    if (excluding !== undefined) return `${name.kind} ${textOf(name)} is excluded (${describe(excluding)})`;
    if (allowed.length > 0 && !allowed.some((subtree) => isWithin(name, subtree)))
      return `${name.kind} ${textOf(name)} is not permitted (${describeSome(allowed)})`;
  }
  return undefined;
}

const textOf = (name: Exclude<Presented, { kind: 'other' }>): string =>
  name.kind === 'directory' ? shortNameOf(name.value) : printable(name.value.slice(0, 200));

/** Directory names are compared one relative name after the other, and are as long as somebody likes. */
const lengthOf = (name: Presented): number => (name.kind === 'directory' ? 1 + name.value.der.length / 40 : 1);

const isSameKind = (subtree: Subtree, name: Presented): boolean =>
  subtree.kind === 'other' ? name.kind === 'other' && name.tag === subtree.tag : subtree.kind === name.kind;

/** Can the name be compared at all? */
function isReadable(name: Presented): boolean {
  switch (name.kind) {
    case 'dns':
      return isDnsName(name.name.startsWith('*.') ? name.name.slice(2) : name.name);
    case 'uri':
      // without a host, or with an address for one, a constrained URI is refused (RFC 5280 §4.2.1.10)
      return name.host !== undefined;
    case 'email':
      return name.mailbox !== undefined;
    default:
      return true;
  }
}

/** Is all that the name stands for within the subtree? Never, when they are of different kinds. */
function isWithin(name: Presented, subtree: Subtree): boolean {
  if (name.kind === 'dns' && subtree.kind === 'dns') return isWithinDomain(name.name, subtree.base);
  if (name.kind === 'uri' && subtree.kind === 'uri') return isHost(name.host ?? '', subtree.base);
  if (name.kind === 'email' && subtree.kind === 'email') return name.mailbox !== undefined && isMailbox(name.mailbox, subtree.base);
  if (name.kind === 'ip' && subtree.kind === 'ip') return isInNetwork(name.octets, subtree);
  return name.kind === 'directory' && subtree.kind === 'directory' && isWithinName(name.value, subtree.base);
}

/** Is anything that the name stands for within the subtree? A wildcard stands for each one label (CVE-2025-61727). */
function touches(name: Presented, subtree: Subtree): boolean {
  if (isWithin(name, subtree)) return true;
  if (name.kind !== 'dns' || subtree.kind !== 'dns' || !name.name.startsWith('*.')) return false;
  const dot = subtree.base.indexOf('.');
  return dot > 0 && subtree.base.slice(dot + 1) === name.name.slice(2);
}

/** `shop.test` has itself and all below, `.shop.test` only what is below (as every validator reads it; RFC 5280 does not say). */
function isWithinDomain(name: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? name.endsWith(base) : name === base || name.endsWith(`.${base}`);
}

/** `shop.test` is that host and no other, `.shop.test` what is below it (RFC 5280 §4.2.1.10, for URIs and mailboxes). */
const isHost = (host: string, base: string): boolean => base === '' || (base.startsWith('.') ? host.endsWith(base) : host === base);

const isMailbox = ({ whole, host }: Mailbox, base: string): boolean => (base.includes('@') ? whole === base : isHost(host, base));

interface Mailbox {
  readonly whole: string;
  readonly host: string;
}

/** A mailbox taken apart, its host in lower case (RFC 5280 §7.5); undefined when it is none. */
function splitMailbox(mailbox: string): Mailbox | undefined {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1).toLowerCase();
  return at > 0 && mailbox.length <= LONGEST_NAME && isDnsName(host) ? { whole: `${mailbox.slice(0, at)}@${host}`, host } : undefined;
}

/** The host of a URI (RFC 3986 §3.2) in lower case; undefined when it has none, it is an address, or what stands before it is no userinfo. */
function hostOfUri(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]{0,63}:\/\/([^/?#]{0,1024})(?:[/?#]|$)/i.exec(uri)?.[1];
  if (authority === undefined) return undefined;
  const at = authority.lastIndexOf('@') + 1;
  if (at > 0 && !/^(?:[\w.~!$&'()*+,;=:-]|%[\da-f]{2})*@$/i.test(authority.slice(0, at))) return undefined;
  const host = authority.slice(at).replace(/:\d*$/, '').toLowerCase();
  return isDnsName(host) && ipToBytes(host) === undefined ? host : undefined;
}

function isInNetwork(octets: Buffer, { address, mask }: Extract<Subtree, { kind: 'ip' }>): boolean {
  return octets.length === address.length && octets.every((octet, i) => (octet & mask[i]!) === (address[i]! & mask[i]!));
}

function describe(subtree: Subtree): string {
  switch (subtree.kind) {
    case 'ip':
      return `${ipToText(subtree.address)}/${subtree.mask.reduce((bits, octet) => bits + 8 - Math.log2(256 - octet), 0)}`;
    case 'directory':
      return shortNameOf(subtree.base);
    case 'other':
      return `[${subtree.tag}]`;
    default:
      return subtree.base === '' ? 'all' : subtree.base;
  }
}

const describeSome = (subtrees: readonly Subtree[]): string => {
  const some = subtrees.slice(0, 5).map(describe).join(', ');
  return subtrees.length > 5 ? `${some} and ${subtrees.length - 5} more` : some;
};
