import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { mutateDer } from '../../scripts/fuzz/mutate-der.js';
import { Random } from '../../scripts/fuzz/random.js';
import { CRL_FILE_LIMIT, readFileBounded } from '../../src/base/files.js';
import { MtlsError } from '../../src/errors.js';
import { findRevoked } from '../../src/pki/crl.js';
import { type Listed, lookUpSerial, scanSerial } from '../../src/pki/crl-scan.js';
import { DerReader, TAG } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  element,
  embed,
  enumerated,
  explicit,
  extension,
  integer,
  name,
  octetString,
  sequence,
  time,
  toDer,
} from '../../src/pki/encode.js';
import { crlsIn } from '../../src/pki/material.js';
import { OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import { certificatePem, temporaryDirectory, testCa } from '../support/material.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';

const AT = new Date('2026-01-01T00:00:00Z');
const WINDOWS = [1, 64, 100, 1000, 256 * 1024];
/** None of ours has this length. */
const ABSENT = '7e'.repeat(21);

interface Parts {
  readonly issuer?: string;
  readonly version?: 1 | 2;
  readonly next?: boolean;
  /** The DER of the entries; undefined for no list. */
  readonly entries?: readonly Buffer[] | undefined;
  readonly list?: Buffer | undefined;
  readonly extensions?: boolean;
}

function crlOf({ issuer = 'x', version = 2, next = true, entries, ...parts }: Parts): Buffer {
  const { list = entries && element(TAG.sequence, entries), extensions = version === 2 } = parts;
  const ecdsa = toDer(algorithm(OID.ecdsaWithSha256, false));
  const tbs = element(TAG.sequence, [
    ...(version === 1 ? [] : [toDer(integer(1))]),
    ecdsa,
    toDer(name([[OID.commonName, issuer]])),
    toDer(time(AT)),
    ...(next ? [toDer(time(new Date('2026-02-01T00:00:00Z')))] : []),
    ...(list === undefined ? [] : [list]),
    ...(extensions ? [toDer(explicit(0, sequence(extension(OID.crlNumber, false, integer(7)))))] : []),
  ]);
  return element(TAG.sequence, [tbs, ecdsa, toDer(bitString(Buffer.alloc(64, 0x2d)))]);
}

const reason = (code: number): Node => extension(OID.reasonCode, false, enumerated(code));
const long = (octets: number): Node => extension('1.3.6.1.4.1.99999.1', false, octetString(Buffer.alloc(octets, 0x30)));

function entryOf(serial: string, ...extensions: readonly Node[]): Buffer {
  const rest = extensions.length === 0 ? [] : [sequence(...extensions)];
  return toDer(sequence(embed(element(TAG.integer, [Buffer.from(serial, 'hex')])), time(AT), ...rest));
}

/** Of 1 to 20 octets, no two the same. */
function serialsOf(count: number, random: Random): string[] {
  const serials = new Set<string>();
  while (serials.size < count) {
    const bytes = random.bytes(1 + random.below(20));
    const [first, second] = [bytes[0]!, bytes[1]];
    const minimal = second === undefined || !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    if (minimal) serials.add(bytes.toString('hex'));
  }
  return [...serials];
}

/** A CRL whose SEQUENCEs, its own, that of what is signed and the list, are written by somebody else. */
function levelled(write: (content: Buffer, level: number) => Buffer): Buffer {
  const fields = new DerReader(crlOf({ list: write(entryOf('05', reason(1)), 2) })).enter();
  const signed = fields.content(TAG.sequence);
  return write(Buffer.concat([write(signed, 1), fields.element().whole, fields.element().whole]), 0);
}

/** In a length of `octets` octets. */
function inLength(content: Buffer, octets: number): Buffer {
  const header = Buffer.alloc(2 + octets);
  header.set([TAG.sequence, 0x80 | octets]);
  header.writeUIntBE(content.length, 2, octets);
  return Buffer.concat([header, content]);
}

/** As crl check did before it scanned. */
function inWhole(path: string, serial: string): Listed[] {
  return crlsIn(readFileBounded(path, CRL_FILE_LIMIT, 'a CRL (PEM or DER)'), path).flatMap((crl) => {
    const entry = findRevoked(crl, serial);
    return entry === undefined ? [] : [{ issuer: crl.issuer, entry }];
  });
}

/** What comes of it, errors as a code and what they say. */
function outcome(look: () => unknown): unknown {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof MtlsError)) throw error;
    return [error.code, error.message];
  }
}

const toCrlf = (pem: string): string => pem.replaceAll('\n', '\r\n');

describe('a serial number is looked up through a window', () => {
  const directory = temporaryDirectory();
  after(directory.remove);

  /** Found as in the whole, by the scan itself and not by reading the whole. */
  function isScanned(data: string | Buffer, serials: readonly string[], windows = WINDOWS): Listed[][] {
    const path = directory.file('scanned.crl', data);
    return serials.map((serial) => {
      const expected = inWhole(path, serial);
      for (const size of windows) assert.deepEqual(scanSerial(path, serial, size), expected, `${serial} through ${size} octets`);
      return expected;
    });
  }

  for (const version of [1, 2] as const)
    for (const count of [0, 1, 2, 40, 5000])
      it(`and found in a CRL of version ${version} and ${count} entries as in the whole of it`, function () {
        this.timeout(60_000);
        const random = new Random(count + version);
        const serials = serialsOf(count, random);
        const kinds: readonly (() => Node[])[] =
          version === 1 ? [() => []] : [() => [], () => [reason(random.below(11))], () => [reason(1), long(random.below(300))]];
        const der = crlOf({ version, next: count !== 2, entries: serials.map((serial) => entryOf(serial, ...random.pick(kinds)())) });
        const some = [0, 1, count >> 1, count - 2, count - 1].flatMap((i) => serials[i] ?? []);
        const wanted = [...new Set(some), ABSENT, '00'];
        for (const data of [der, toPem('X509 CRL', der), toCrlf(toPem('X509 CRL', der))]) {
          const found = isScanned(data, wanted);
          assert.deepEqual(
            found.slice(0, -2).map(([listed]) => listed?.entry.serial),
            wanted.slice(0, -2),
          );
          assert.deepEqual(found.at(-2), []);
        }
      });

  it('wherever the border of the window cuts an entry', () => {
    const serials = ['05', '00ff', '0102', '11'.repeat(20), '7f'.repeat(139), '06'];
    const der = crlOf({ entries: serials.map((serial, i) => entryOf(serial, reason(i))) });
    const sizes = Array.from({ length: der.length + 2 }, (_, i) => i + 1);
    for (const data of [der, toPem('X509 CRL', der)])
      assert.deepEqual(
        isScanned(data, [...serials, '11'.repeat(19), '0101'], sizes).map(([listed]) => listed?.entry.reason),
        ['unspecified', 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', undefined, undefined],
      );
  });

  it('and the first entry of two is told, before whatever is wrong behind it', () => {
    const twice = [entryOf('05', reason(1)), entryOf('05', reason(4))];
    const behind = [...twice, Buffer.from('0500', 'hex')];
    for (const entries of [twice, behind]) {
      const [found] = isScanned(crlOf({ entries }), ['05']);
      assert.deepEqual(
        found!.map(({ entry }) => entry.reason),
        ['keyCompromise'],
      );
    }
  });

  it('in a CRL without a list, with and without nextUpdate', () => {
    for (const version of [1, 2] as const)
      for (const next of [true, false]) for (const entries of [undefined, []]) isScanned(crlOf({ version, next, entries }), ['05', ABSENT]);
  });

  it('behind and in entries of any length', () => {
    const lengths = [...Array.from({ length: 120 }, (_, i) => i * 7), 65_400, 65_536, 100_000, 200_000];
    const serials = lengths.map((_, i) => `7f${i.toString(16).padStart(4, '0')}`);
    const entries = serials.map((serial, i) => entryOf(serial, long(lengths[i]!)));
    assert.equal(isScanned(crlOf({ entries }), [...serials.slice(-9), ABSENT]).flat().length, 9);
  });

  describe('in PEM', () => {
    const first = toPem('X509 CRL', crlOf({ issuer: 'first', entries: [entryOf('05'), entryOf('06', reason(1))] }));
    const second = toPem('X509 CRL', crlOf({ issuer: 'second', entries: [entryOf('05', reason(4))] }));
    const empty = toPem('X509 CRL', crlOf({ issuer: 'empty' }));
    const padded = [0, 1, 2].map((octets) => toPem('X509 CRL', crlOf({ issuer: 'x'.repeat(1 + octets), entries: [entryOf('05')] })));
    const texts: Readonly<Record<string, string>> = {
      'Windows line ends': toCrlf(first),
      'old Macintosh line ends': first.replaceAll('\n', '\r'),
      indentation: first.replace(/^/gm, '    '),
      'blanks and blank lines': first.replace(/^(M.{9})(.)/m, '$1 \t\n\n $2'),
      'one line for all of it': first.replaceAll('\n', ''),
      'no newline at the end': first.trimEnd(),
      'a byte-order mark': `\u00ef\u00bb\u00bf${first}`,
      'text around': `Certificate Revocation List (CRL):\n--- ----- BEGIN -----BEGIN\n${first}-----END X509 CRL-----\nbye -----BEGIN`,
      'a long text in front': `${'-'.repeat(3000)}\n${first}`,
      'several blocks': `${first}${second}`,
      'text between blocks': `${first}garbage -----BEGIN\n- ----${second} ${'=-'.repeat(100)}${empty}\n`,
      'a CRL without entries in front': `${empty}${first}`,
      'each padding there is': padded.join(''),
    };
    for (const [what, text] of Object.entries(texts))
      it(`with ${what}`, () => {
        const found = isScanned(Buffer.from(text, 'latin1'), ['05', '06', ABSENT]);
        assert.equal(found[0]!.length, text.split('-----BEGIN X509 CRL-----').length - 1 - text.split(empty).length + 1);
      });
  });

  describe('only where it can be; the whole is read of', () => {
    const crl = crlOf({ entries: [entryOf('05', reason(1))] });
    const pem = toPem('X509 CRL', crl);
    const largeEntry = crlOf({ entries: [entryOf('05', long(300_000)), entryOf('06')] });
    const others: Readonly<Record<string, readonly [data: string | Buffer, serial: string]>> = {
      'a certificate beside it': [`${certificatePem(testCa().certificate)}${pem}`, '05'],
      'an entry above 256 kB': [largeEntry, '06'],
      'an issuer above 256 kB': [crlOf({ issuer: 'x'.repeat(300_000), entries: [entryOf('05')] }), '05'],
      'text that begins with a 0': [`0${pem}`, '05'],
      'more blocks than anybody has': [pem.repeat(1001), '05'],
    };
    for (const [what, [data, serial]] of Object.entries(others))
      it(what, () => {
        const path = directory.file('other.crl', data);
        assert.equal(scanSerial(path, serial, 1000), undefined);
        const found = lookUpSerial(path, serial);
        assert.equal(found[0]!.entry.serial, serial);
        assert.deepEqual(found, inWhole(path, serial));
      });
  });

  describe('with the errors of the whole reader:', () => {
    const der = crlOf({ entries: [entryOf('05', reason(1))] });
    const pem = toPem('X509 CRL', der);
    const broken: Readonly<Record<string, readonly [data: string | Buffer, code: string]>> = {
      'an entry that is none': [crlOf({ entries: [entryOf('05'), Buffer.from('0500', 'hex')] }), 'CRL_MALFORMED'],
      'a serial number that is not minimal': [crlOf({ entries: [entryOf('0001')] }), 'CRL_MALFORMED'],
      'an entry beyond the list': [crlOf({ entries: [Buffer.from('302002010505', 'hex')] }), 'CRL_MALFORMED'],
      'extensions in version 1': [crlOf({ version: 1, entries: [entryOf('0a', reason(1))] }), 'CRL_MALFORMED'],
      'a torn block': [pem.slice(0, -10), 'PEM_MALFORMED'],
      'an octet too few in the text': [pem.replace(/\n(.)/, '\n'), 'PEM_MALFORMED'],
      'a digit behind the padding': [toPem('X509 CRL', Buffer.concat([der, Buffer.alloc(1)])).replace('=', '=A'), 'PEM_MALFORMED'],
      'a block behind that is torn': [`${pem}-----BEGIN X509 CRL-----\nMIIB`, 'PEM_MALFORMED'],
      'DER cut off': [der.subarray(0, -1), 'FILE_UNRECOGNIZED'],
      'an octet behind': [Buffer.concat([der, Buffer.alloc(1)]), 'FILE_UNRECOGNIZED'],
      'an octet behind, in PEM': [toPem('X509 CRL', Buffer.concat([der, Buffer.alloc(1)])), 'CRL_MALFORMED'],
      'text without a block': ['no CRL at all\n', 'FILE_UNRECOGNIZED'],
      'an empty file': ['', 'FILE_EMPTY'],
    };
    const refused = (data: string | Buffer, code: string, serial: string): void => {
      const path = directory.file('broken.crl', data);
      const told = outcome(() => lookUpSerial(path, serial));
      assert.equal((told as string[])[0], code);
      assert.deepEqual(
        told,
        outcome(() => inWhole(path, serial)),
      );
      for (const size of WINDOWS) assert.equal(scanSerial(path, serial, size), undefined);
    };
    for (const [what, [data, code]] of Object.entries(broken)) it(what, () => refused(data, code, '0a'));

    it('a length that is not written as DER has it, at each level', () => {
      for (const length of [2, 3, 4, 5])
        for (const level of [0, 1, 2]) {
          const der = levelled((content, at) => (at === level ? inLength(content, length) : element(TAG.sequence, [content])));
          refused(toPem('X509 CRL', der), 'CRL_MALFORMED', '05');
        }
    });

    it('a length that is not that of the content, at each level', () => {
      for (const more of [-30, -1, 1, 12, 70])
        for (const level of [0, 1, 2]) {
          const der = levelled((content, at) => {
            const whole = element(TAG.sequence, [content]);
            const header = whole.subarray(0, whole.length - content.length);
            if (at === level) header[header.length - 1]! += more;
            return whole;
          });
          refused(toPem('X509 CRL', der), 'CRL_MALFORMED', '05');
        }
    });

    it('an entry that goes on behind the list, where what it holds looks like extensions', () => {
      const tail = explicit(0, sequence(extension(OID.crlNumber, false, integer(7))));
      const entry = entryOf('05', extension('1.3.6.1.4.1.99999.1', false, tail));
      const list = element(TAG.sequence, [entry]);
      list[list.length - entry.length - 1]! -= toDer(tail).length;
      refused(toPem('X509 CRL', crlOf({ list, extensions: false })), 'CRL_MALFORMED', '05');
    });

    it('what is no file, or is not there, or too large', () => {
      const large = directory.file('large.crl', pem);
      truncateSync(large, CRL_FILE_LIMIT + 1);
      const fifo = join(directory.path, 'fifo');
      const isMade = process.platform !== 'win32' && spawnSync('mkfifo', [fifo]).status === 0;
      const paths = [join(directory.path, 'none'), join(large, 'below'), directory.path, large, ...(isMade ? [fifo] : [])];
      const codes = paths.map((path) => {
        const told = outcome(() => lookUpSerial(path, '05'));
        assert.deepEqual(
          told,
          outcome(() => inWhole(path, '05')),
        );
        return (told as string[])[0];
      });
      assert.deepEqual(codes.slice(0, 4), ['FILE_NOT_FOUND', 'FILE_NOT_FOUND', 'FILE_NOT_READABLE', 'FILE_TOO_LARGE']);
    });
  });

  it('and never says anything else than the whole reader of CRLs that were changed at random', function () {
    this.timeout(120_000);
    const random = new Random(20261125);
    const seeds = ([1, 2] as const).flatMap((version) =>
      [1, 3, 8].map((count) => {
        const entries = ['05', ...serialsOf(count, random)].map((serial, i) =>
          entryOf(serial, ...(version === 1 || i % 3 === 0 ? [] : i % 3 === 1 ? [reason(i)] : [long(150)])),
        );
        return crlOf({ version, next: count !== 3, entries });
      }),
    );
    const counts = { scanned: 0, found: 0, refused: 0 };
    for (let i = 0; i < 4000; i++) {
      const seed = random.pick(seeds);
      const text = (der: Buffer): Buffer => Buffer.from(toPem('X509 CRL', der));
      const changed = random.pick([
        () => bent(seed, random),
        () => mutateDer(seed, random, () => random.pick(seeds)),
        () => text(mutateDer(seed, random, () => random.pick(seeds))),
        () => bent(Buffer.concat([text(seed), text(random.pick(seeds))]), random),
      ])();
      const path = directory.file('changed.crl', changed);
      const serial = random.pick(['05', ABSENT]);
      const expected = outcome(() => inWhole(path, serial));
      const scanned = scanSerial(path, serial, random.pick(changed.length < 2000 ? [1, 64, 100, 1000] : [1000, 4096]));
      if (scanned !== undefined) assert.deepEqual(scanned, expected, changed.toString('hex'));
      assert.deepEqual(
        outcome(() => lookUpSerial(path, serial)),
        expected,
      );
      counts.scanned += scanned === undefined ? 0 : 1;
      counts.found += scanned === undefined || scanned.length === 0 ? 0 : 1;
      counts.refused += typeof (expected as unknown[])[0] === 'string' ? 1 : 0;
    }
    // else it was no test of the scan
    assert.ok(counts.scanned > 1000 && counts.found > 200 && counts.refused > 1000, JSON.stringify(counts));
  });

  describe('in a large CRL', function () {
    this.timeout(60_000);
    const COUNT = 400_000;
    const serialAt = (i: number): string => `4f9d62ab${(i * 7919).toString(16).padStart(24, '0')}`;
    let path: string;
    before(() => {
      const entry = entryOf(serialAt(0), reason(4));
      const list = Buffer.alloc(entry.length * COUNT);
      for (let i = 0; i < COUNT; i++) {
        list.set(entry, i * entry.length);
        list.write(serialAt(i), i * entry.length + 4, 'hex');
      }
      path = directory.file('large.pem', toPem('X509 CRL', crlOf({ entries: [list] })));
    });

    it('that is never in memory', function () {
      if (process.platform !== 'linux') this.skip();
      const scan = new URL('../../src/pki/crl-scan.ts', import.meta.url).href;
      for (const serial of [serialAt(0), serialAt(COUNT - 1), ABSENT]) {
        // 5 sets the peak back to what is in use (proc(5)): loading the sources takes more than a scan
        const program = `import { readFileSync, writeFileSync } from 'node:fs';
          import { scanSerial } from ${JSON.stringify(scan)};
          const peak = () => Number(/VmHWM:\\s+(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
          writeFileSync('/proc/self/clear_refs', '5');
          const before = peak();
          const found = scanSerial(process.argv[1], '${serial}');
          console.log(found.length, peak() - before);`;
        const { stdout, stderr } = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', program, path], {
          encoding: 'utf8',
        });
        const [found, kilobytes] = stdout.split(' ').map(Number) as [number, number];
        assert.equal(found, serial === ABSENT ? 0 : 1, stderr);
        assert.ok(kilobytes < 20_000, `${kilobytes} kB for ${COUNT * 70} octets`);
      }
    });

    describe('as openssl lists it', () => {
      before(needs('openssl'));

      it('at its ends, in its middle, and what is beside', () => {
        const listed = openssl(['crl', '-in', path, '-noout', '-text']).toLowerCase();
        for (const i of [0, 1, 2, 77_777, COUNT / 2, COUNT - 2, COUNT - 1])
          for (const serial of [serialAt(i), serialAt(i).replace(/.$/, (digit) => (digit === '1' ? '2' : '1'))]) {
            const expected = listed.includes(`serial number: ${serial}\n`) ? 1 : 0;
            assert.equal(scanSerial(path, serial)?.length, expected, serial);
          }
      });
    });
  });
});

/** Changed, cut out or put in at one to three places. */
function bent(bytes: Buffer, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(changed.length + 1);
    const [before, behind] = [changed.subarray(0, at), changed.subarray(at)];
    const piece = random.bytes(random.size(4));
    changed = random.pick([
      () => Buffer.concat([before, Buffer.of((behind[0] ?? 0) ^ (1 << random.below(8))), behind.subarray(1)]),
      () => Buffer.concat([before, behind.subarray(random.size(6))]),
      () => Buffer.concat([before, random.oneIn(2) ? piece : changed.subarray(at, at + random.size(6)), behind]),
      () => Buffer.concat([before, Buffer.from(random.pick([' ', '\n', '=', '-', ':', '-----', 'A', 'AAAA'])), behind]),
    ])();
  }
  return changed;
}
