import { type Issued, type LedgerEntry, readEntry } from './ledger.js';

/** A certificate of a service, as its line in the ledger has it: its instants were checked, and are text as `toISOString` writes it. */
export interface IssuedLine {
  readonly event: 'issued';
  readonly at: string;
  readonly by: string;
  readonly serial: string;
  readonly issuer: string;
  readonly name: string;
  readonly namespace: string;
  readonly profile: string;
  readonly uri: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly sha256: string;
  readonly renews: string | undefined;
}

/** What a ledger has beside the certificates of services. */
export type OtherEntry = Exclude<LedgerEntry, Issued>;

/**
 * What a line is about, for those who look at all of a long ledger and need little of each. As strict as `readEntry`: what
 * `appendLedger` writes is recognized whole, at a third of the cost, and everything else is left to that. Throws LEDGER_CORRUPT.
 */
export function readLine(line: string, path: string, number?: number): IssuedLine | OtherEntry {
  const found = line.length <= LONGEST ? USUAL.exec(line) : null;
  if (found === null) return inText(readEntry(line, path, number));
  // by their numbers: to take an array apart by a pattern costs as much as to match
  return {
    event: 'issued',
    at: found[1]!,
    by: found[12]!,
    serial: found[2]!,
    issuer: found[3]!,
    name: found[4]!,
    namespace: found[5]!,
    profile: found[6]!,
    uri: found[7]!,
    notBefore: found[8]!,
    notAfter: found[9]!,
    sha256: found[10]!,
    renews: found[11],
  };
}

function inText(entry: LedgerEntry): IssuedLine | OtherEntry {
  if (entry.event !== 'issued') return entry;
  const { by = '', renews, ...rest } = entry;
  const [at, notBefore, notAfter] = [entry.at.toISOString(), entry.notBefore.toISOString(), entry.notAfter.toISOString()];
  return { ...rest, at, by, notBefore, notAfter, renews };
}

/** A longer line is not matched: what an expression has to remember grows with it. */
const LONGEST = 65_536;

/** Text in JSON without an escape. */
const TEXT = String.raw`"([^"\\\x00-\x1f]*)"`;
const UNSEEN = String.raw`"[^"\\\x00-\x1f]*"`;
const TEXTS = String.raw`\[(?:${UNSEEN}(?:,${UNSEEN})*)?\]`;
/** Of days that every month has: of the others a calendar must be asked. */
const INSTANT = String.raw`"([1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z)"`;

const FIELDS = [
  ['event', '"issued"'],
  ['at', INSTANT],
  ['serial', '"((?:[0-9a-f]{2}){1,21})"'],
  ...['issuer', 'name', 'namespace', 'profile', 'uri'].map((field) => [field, TEXT]),
  ['dns', TEXTS],
  ['ip', TEXTS],
  ['notBefore', INSTANT],
  ['notAfter', INSTANT],
] as const;

const USUAL = new RegExp(
  `^\\{${FIELDS.map(([field, value]) => `"${field}":${value}`).join(',')},"sha256":${TEXT}(?:,"renews":${TEXT})?,"by":${TEXT},"prev":${UNSEEN}\\}$`,
);
