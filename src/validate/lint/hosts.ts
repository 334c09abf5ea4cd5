import { ipToBytes } from '../../base/bytes.js';
import { Counter, type Sample } from './sample.js';

/** What is noteworthy of the DNS names of a certificate, found in one walk over them: there may be a million. */
export interface DnsSurvey {
  /** No name of letters, digits and hyphens. */
  readonly malformed: Sample;
  readonly underscore: Sample;
  readonly address: Sample;
  readonly wildcard: Sample;
  /** A wildcard that is not the whole left-most label, and that alone. */
  readonly wildcardMisplaced: Sample;
  /** A wildcard for all of a top-level domain, or for everything. */
  readonly wildcardWide: Sample;
  /** Of one label, which no longer name beside it begins with. */
  readonly singleLabel: Sample;
  readonly localhost: Sample;
  /** What the whole world could resolve. */
  readonly publicName: Sample;
}

/** A name of several labels as most are: nothing but a look at its last label is left to do. */
const PLAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Host names, with underscores as if they were letters. */
const UNDERSCORED = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

export function surveyDns(names: readonly string[]): DnsSurvey {
  const found = {
    ...{ malformed: new Counter(), underscore: new Counter(), address: new Counter() },
    ...{ wildcard: new Counter(), wildcardMisplaced: new Counter(), wildcardWide: new Counter() },
    ...{ singleLabel: new Counter(), localhost: new Counter(), publicName: new Counter() },
  };
  const single: string[] = [];
  for (const name of names) {
    if (name.length <= 253 && PLAIN.test(name)) {
      if (isPublic(name)) found.publicName.add(name);
      continue;
    }
    if (name.includes('*')) surveyWildcard(name, found);
    else if (name.includes('_') && name.length <= 253 && UNDERSCORED.test(name)) found.underscore.add(name);
    else if (isAddress(name)) found.address.add(name);
    else if (!isHostName(name)) found.malformed.add(name);
    else if (name.toLowerCase() === 'localhost') found.localhost.add(name);
    else if (!name.includes('.')) single.push(name);
    else if (isPublic(name.toLowerCase())) found.publicName.add(name);
  }
  if (single.length > 0) {
    const heads = new Set(names.map((name) => name.slice(0, Math.max(0, name.indexOf('.'))).toLowerCase()));
    for (const name of single) if (!heads.has(name.toLowerCase())) found.singleLabel.add(name);
  }
  return found;
}

function surveyWildcard(name: string, found: Record<'malformed' | 'wildcard' | 'wildcardMisplaced' | 'wildcardWide', Counter>): void {
  const rest = name.slice(2);
  if (name === '*' || (name.startsWith('*.') && !rest.includes('.') && !rest.includes('*'))) found.wildcardWide.add(name);
  else if (!name.startsWith('*.') || rest.includes('*')) found.wildcardMisplaced.add(name);
  else if (isHostName(rest)) found.wildcard.add(name);
  else found.malformed.add(name);
}

/** The preferred name syntax: labels of 1 to 63 letters, digits and hyphens, none at an end, 253 characters in all (RFC 1034 §3.5, RFC 1123 §2.1). */
export function isHostName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(name);
}

/** An address written as a name, with or without brackets. */
function isAddress(name: string): boolean {
  return name.length <= 64 && /^[\d[:]|:/.test(name) && ipToBytes(name.replace(/^\[(.*)\]$/, '$1')) !== undefined;
}

/** A mailbox: a local part of atoms, or quoted, and a domain (RFC 5321 §4.1.2). */
export function isMailbox(text: string): boolean {
  const at = text.lastIndexOf('@');
  const [local, domain] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  const isLocal = local.length <= 64 && (ATOMS.test(local) || /^"(?:[^"\\]|\\.)*"$/.test(local));
  return isLocal && (isHostName(domain) || ipToBytes(/^\[(?:IPv6:)?([^\]]*)\]$/.exec(domain)?.[1] ?? '') !== undefined);
}

const ATOMS = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

/** Top-level names that no public resolver answers for: reserved (RFC 6761, RFC 6762, RFC 9476), and used as if they were. */
const PRIVATE_ENDS: ReadonlySet<string> = new Set(
  ['alt', 'corp', 'example', 'home', 'internal', 'intranet', 'invalid', 'lan', 'local', 'localdomain', 'localhost'].concat([
    ...['mesh', 'onion', 'private', 'svc', 'test'],
  ]),
);

/** Is a top-level domain one that is nobody's outside? */
export const isPrivateEnd = (label: string): boolean => PRIVATE_ENDS.has(label.toLowerCase());

function isPublic(name: string): boolean {
  const end = name.slice(name.lastIndexOf('.') + 1);
  return !PRIVATE_ENDS.has(end) && !name.endsWith('.home.arpa');
}
