import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../src/errors.js';
import { isPem, looksLikeDer, readPem, toPem } from '../../src/pki/pem.js';

const DER = Buffer.from('3003020105', 'hex');
const PEM = toPem('CERTIFICATE', DER);

const malformed = (text: string, problem: RegExp): void =>
  assert.throws(
    () => readPem(text),
    (error) => {
      assert.ok(isError(error, 'PEM_MALFORMED'), String(error));
      assert.match(error.facts.problem, problem);
      return true;
    },
  );

describe('readPem', () => {
  it('reads what toPem wrote', () => {
    const label = fc.stringMatching(/^[A-Z0-9]([A-Z0-9 ]{0,30}[A-Z0-9])?$/);
    const block = fc.record({ label, der: fc.uint8Array({ minLength: 1, maxLength: 500 }) });
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (blocks) => {
        const text = blocks.map((one) => toPem(one.label, one.der)).join('some text\n');
        const found = readPem(text);
        assert.deepEqual(
          found.map((one) => [one.label, one.der.toString('hex'), one.headers]),
          blocks.map((one) => [one.label, Buffer.from(one.der).toString('hex'), []]),
        );
      }),
    );
  });

  it('writes lines of 64 characters, as RFC 7468 wants', () => {
    const lines = toPem('X', Buffer.alloc(100, 1)).split('\n');
    assert.deepEqual(
      lines.map((line) => line.length),
      [17, 64, 64, 8, 15, 0],
    );
  });

  const accepted: Readonly<Record<string, string>> = {
    'a byte-order mark': `\u00ef\u00bb\u00bf${PEM}`,
    'Windows line ends': PEM.replaceAll('\n', '\r\n'),
    'old Macintosh line ends': PEM.replaceAll('\n', '\r'),
    'text around': `subject=CN = api\n${PEM}\nbye`,
    'no newline at the end': PEM.trimEnd(),
    'blanks and blank lines inside': PEM.replace('MAMC', 'MA MC\t\n\n '),
    indentation: PEM.replace(/^/gm, '    '),
    'one line for all of it': PEM.replaceAll('\n', ''),
  };
  for (const [what, text] of Object.entries(accepted)) {
    it(`takes ${what}`, () => {
      assert.equal(isPem(Buffer.from(text, 'latin1')), true);
      assert.deepEqual(
        readPem(text).map(({ label, der }) => [label, der.toString('hex')]),
        [['CERTIFICATE', DER.toString('hex')]],
      );
    });
  }

  it('keeps the headers of RFC 1421, and the block as it was written', () => {
    const headers = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00';
    for (const end of ['\n', '\r\n']) {
      const text = `-----BEGIN EC PRIVATE KEY-----\n${headers}\n\nMAMCAQU=\n-----END EC PRIVATE KEY-----`.replaceAll('\n', end);
      const [block] = readPem(`before\n${text}\nafter`);
      assert.deepEqual(block?.headers, headers.split('\n'));
      assert.equal(block?.der.toString('hex'), DER.toString('hex'));
      assert.equal(block?.text, text);
    }
  });

  it('says how a block is torn', () => {
    malformed('-----BEGIN CERTIFICATE', /BEGIN line is torn/);
    malformed('-----BEGIN CERTIFI\nCATE-----', /BEGIN line is torn/);
    malformed('-----BEGIN -----', /BEGIN line is torn/);
    malformed(`-----BEGIN ${'A'.repeat(65)}-----`, /BEGIN line is torn/);
    malformed(PEM.slice(0, -20), /the CERTIFICATE block has no END line/);
    malformed(PEM.slice(0, -20) + PEM, /the CERTIFICATE block has no END line/);
    malformed(PEM.replace('END CERTIFICATE', 'END X509 CRL'), /the CERTIFICATE block has no END line/);
    malformed(PEM.replace('END CERTIFICATE', 'END certificate'), /has no END line/);
  });

  it('says that a block is not base64', () => {
    for (const bad of ['MAMCAQU', 'MAMC_QU=', 'MAMC-QU=', 'MA=CAQU=', 'MAMCAQU==', '====', '', 'MAMCAQU=ü', 'Proc-Type: x\nMAMCAQU='])
      malformed(`-----BEGIN CERTIFICATE-----\n${bad}\n-----END CERTIFICATE-----\n`, /the CERTIFICATE block is not base64/);
  });

  it('takes 10,000 blocks and not one more', () => {
    assert.equal(readPem(PEM.repeat(10_000)).length, 10_000);
    malformed(PEM.repeat(10_001), /more than 10000 blocks/);
  });

  it('finds nothing where nothing is', () => {
    assert.deepEqual(readPem('no block at all'), []);
    assert.equal(isPem(Buffer.from('no block at all')), false);
  });

  it('takes time in proportion to the length, whatever the text', () => {
    const size = 4_000_000;
    const begin = '-----BEGIN A-----';
    const attempts = [
      begin.repeat(size / begin.length),
      `${begin}\n${'A'.repeat(size)}!`,
      `${begin}\n${'A'.repeat(size)}!\n-----END A-----`,
      `${begin}\n${'\n'.repeat(size)}:\n-----END A-----`,
      `${begin}\n${'x: y\n'.repeat(size / 5)}-----END A-----`,
      `${begin}\n${' '.repeat(size)}-----END A-----`,
      `${begin}\n${'='.repeat(size)}\n-----END A-----`,
      '-----BEGIN '.repeat(size / 11),
      '-----BEGIN A'.repeat(size / 12),
      '-'.repeat(size),
      `${begin}\n${'-----END B-----\n'.repeat(size / 16)}`,
      `-----BEGIN ${'A '.repeat(size / 2)}-----`,
      PEM.repeat(9_999) + begin + 'A'.repeat(size),
    ];
    for (const text of attempts) {
      const start = performance.now();
      try {
        readPem(text);
      } catch (error) {
        assert.ok(isError(error, 'PEM_MALFORMED'));
      }
      assert.ok(performance.now() - start < 1_000, `${text.slice(0, 40)} took ${performance.now() - start} ms`);
    }
  });
});

describe('looksLikeDer', () => {
  it('wants a SEQUENCE of the length of the file', () => {
    const sized = (header: string, length: number): Buffer => Buffer.concat([Buffer.from(header, 'hex'), Buffer.alloc(length)]);
    for (const good of [sized('3000', 0), sized('3005', 5), sized('307f', 127), sized('308180', 128), sized('3082ffff', 65_535)])
      assert.equal(looksLikeDer(good), true, good.subarray(0, 4).toString('hex'));
    for (const bad of [
      sized('', 0),
      sized('30', 0),
      sized('3005', 4),
      sized('3005', 6),
      sized('3080', 4),
      sized('3085', 20),
      sized('308200', 3),
      sized('3105', 5),
    ])
      assert.equal(looksLikeDer(bad), false, bad.subarray(0, 4).toString('hex'));
  });

  it('is asked first: text within a DER value is no PEM', () => {
    const text = Buffer.from(PEM);
    const der = Buffer.concat([Buffer.from([0x30, text.length + 2, 0x0c, text.length]), text]);
    assert.equal(isPem(der), false);
    assert.equal(isPem(text), true);
  });
});
