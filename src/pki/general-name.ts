import { isAscii } from 'node:buffer';
import { ipToText } from '../base/bytes.js';
import { type DerReader, context, contextConstructed } from './der.js';
import { type Name, readName } from './name.js';

/** GeneralNames (RFC 5280 §4.2.1.6) sorted by kind; addresses in RFC 5952 form. `other` keeps the kinds that we do not read, by tag number; of those, `otherName` its form. */
export interface GeneralNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
  readonly directory: readonly Name[];
  readonly otherName: readonly OtherName[];
  readonly other: readonly number[];
}

/** A name of a form that somebody else defined: `value` is the element within `[0] EXPLICIT`. */
interface OtherName {
  readonly type: string;
  readonly value: Buffer;
}

/** No names at all. */
export const NO_NAMES: GeneralNames = { dns: [], ip: [], uri: [], email: [], directory: [], otherName: [], other: [] };

/** Reads `GeneralNames` up to the end of `reader`, which stands inside of the SEQUENCE. */
export function readGeneralNames(reader: DerReader): GeneralNames {
  const names = {
    dns: [] as string[],
    ip: [] as string[],
    uri: [] as string[],
    email: [] as string[],
    directory: [] as Name[],
    otherName: [] as OtherName[],
    other: [] as number[],
  };
  if (reader.atEnd) reader.fail('missing element', 'a general name');
  while (!reader.atEnd) {
    const tag = reader.peek()!;
    switch (tag) {
      case context(1):
        names.email.push(ia5(reader, tag));
        break;
      case context(2):
        names.dns.push(ia5(reader, tag));
        break;
      case context(6):
        names.uri.push(ia5(reader, tag));
        break;
      case context(7):
        names.ip.push(ipToText(reader.content(tag)) ?? reader.refuse('malformed string', 'an address of 4 or 16 octets'));
        break;
      case contextConstructed(4): {
        const explicit = reader.enter(tag);
        names.directory.push(readName(explicit));
        explicit.end();
        break;
      }
      case contextConstructed(0):
        names.other.push(0);
        names.otherName.push(readOtherName(reader.enter(tag)));
        break;
      default:
        if (!OTHER_KINDS.has(tag)) reader.fail('unexpected tag', 'a general name');
        names.other.push(tag & 0x1f);
        reader.element();
    }
  }
  return names;
}

/** `OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }`, implicitly tagged */
function readOtherName(reader: DerReader): OtherName {
  const type = reader.oid();
  const explicit = reader.enter(contextConstructed(0));
  const { whole } = explicit.element();
  explicit.end();
  reader.end();
  return { type, value: whole };
}

/**
 * The kinds that are kept by number: x400Address [3], ediPartyName [5], registeredID [8], and whatever
 * comes after these. One of the kinds above in the other form (a constructed dNSName, say) is BER and no name at all.
 */
const OTHER_KINDS: ReadonlySet<number> = new Set([
  ...[3, 5].map(contextConstructed),
  context(8),
  ...Array.from({ length: 22 }, (_, i) => [context(9 + i), contextConstructed(9 + i)]).flat(),
]);

function ia5(reader: DerReader, tag: number): string {
  const content = reader.content(tag);
  if (!isAscii(content)) reader.refuse('malformed string', 'IA5String');
  return content.toString('latin1');
}
