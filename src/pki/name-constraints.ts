import { isAscii } from 'node:buffer';
import { DerReader, context, contextConstructed } from './der.js';
import { type Name, readName } from './name.js';

/** The names below and at one point of a name space (RFC 5280 §4.2.1.10). `ip` is an address and its mask, of 4 or of 16 octets each. */
export type Subtree =
  | { readonly kind: 'dns' | 'uri' | 'email'; readonly base: string }
  | { readonly kind: 'ip'; readonly address: Buffer; readonly mask: Buffer }
  | { readonly kind: 'directory'; readonly base: Name }
  /** A kind of name that is not read here, by its tag number: otherName 0, x400Address 3, ediPartyName 5, registeredID 8. */
  | { readonly kind: 'other'; readonly tag: number };

/** What a CA may and may not issue for. */
export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

/**
 * Reads the value of the extension. Throws DER_MALFORMED for what RFC 5280 §4.2.1.10 does not allow: a minimum that is
 * not 0, a maximum, an address whose mask is none, neither of the two lists.
 *
 *     NameConstraints ::= SEQUENCE { [0] permittedSubtrees OPTIONAL, [1] excludedSubtrees OPTIONAL }
 *     GeneralSubtree  ::= SEQUENCE { base GeneralName, [0] minimum DEFAULT 0, [1] maximum OPTIONAL }
 */
export function readNameConstraints(value: Buffer): NameConstraints {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'permitted or excluded subtrees');
  const permitted = subtrees(reader.enterOptional(contextConstructed(0)));
  const excluded = subtrees(reader.enterOptional(contextConstructed(1)));
  reader.end();
  return { permitted, excluded };
}

function subtrees(reader: DerReader | undefined): Subtree[] {
  if (reader === undefined) return [];
  if (reader.atEnd) reader.fail('missing element', 'a subtree');
  const found: Subtree[] = [];
  while (!reader.atEnd) {
    const item = reader.enter();
    found.push(base(item));
    if (item.peek() === context(0)) item.fail('default value encoded', 'a minimum');
    if (item.peek() === context(1)) item.fail('unexpected tag', 'a maximum');
    item.end();
  }
  return found;
}

function base(reader: DerReader): Subtree {
  const tag = reader.peek();
  switch (tag) {
    case context(1):
      return { kind: 'email', base: text(reader, tag, EMAIL, 'a mailbox, a host or .domain') };
    case context(2):
      return { kind: 'dns', base: text(reader, tag, HOST, 'a DNS name') };
    case context(6):
      return { kind: 'uri', base: text(reader, tag, HOST, 'a host or .domain') };
    case context(7):
      return addresses(reader, tag);
    case contextConstructed(4): {
      const explicit = reader.enter(tag);
      const name = readName(explicit);
      explicit.end();
      return { kind: 'directory', base: name };
    }
    case contextConstructed(0):
    case contextConstructed(3):
    case contextConstructed(5):
    case context(8):
      reader.element();
      return { kind: 'other', tag: tag & 0x1f };
    default:
      return reader.fail('unexpected tag', 'a general name');
  }
}

/** An address and a mask in the manner of CIDR (RFC 4632 §3.1): ones, then zeros. */
function addresses(reader: DerReader, tag: number): Subtree {
  const content = reader.content(tag);
  if (content.length !== 8 && content.length !== 32) reader.refuse('malformed string', 'an address and a mask, 8 or 32 octets');
  const half = content.length / 2;
  const mask = content.subarray(half);
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  if (bits.includes('01')) reader.refuse('malformed string', 'a mask of ones, then zeros');
  return { kind: 'ip', address: content.subarray(0, half), mask };
}

/** A host, or what is below one where it begins with a dot; empty: every one. A wildcard is none of these. */
const LABELS = String.raw`(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*`;
const HOST = new RegExp(`^(?:\\.?${LABELS})?$`);
const EMAIL = new RegExp(`^(?:[^@\\s]{1,64}@${LABELS}|\\.?${LABELS})?$`);

/** In lower case but for the local part of a mailbox, which alone has one. */
function text(reader: DerReader, tag: number, form: RegExp, expected: string): string {
  const content = reader.content(tag);
  const found = content.length > 320 || !isAscii(content) ? undefined : content.toString('latin1');
  if (found === undefined || !form.test(found)) return reader.refuse('malformed string', expected);
  return found.replace(/[^@]*$/, (host) => host.toLowerCase());
}
