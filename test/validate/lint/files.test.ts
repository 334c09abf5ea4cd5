import assert from 'node:assert/strict';
import { toPem } from '../../../src/pki/pem.js';
import { privateKeyToPem } from '../../../src/pki/key.js';
import {
  type LintCode,
  answerLintLine,
  lintCertificate,
  lintChain,
  lintCrl,
  lintFiles,
  lintItems,
  lintUnreadable,
  lintablesIn,
  lintablesOf,
  readBaseline,
  reportOn,
  writeBaseline,
} from '../../../src/validate/lint/index.js';
import { AT, certify, crlOf, shifted } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';
import { issuing, leaf, leafDer, root } from './support.js';

const OPTIONS = { at: AT };
const pem = (...certificates: readonly { readonly der: Buffer }[]): string =>
  certificates.map(({ der }) => toPem('CERTIFICATE', der)).join('');
const codesOf = (bytes: string | Buffer): LintCode[] =>
  lintItems(lintablesIn(Buffer.from(bytes as string), 'a file'), OPTIONS).flatMap(({ findings }) => findings.map(({ code }) => code));
const kindsOf = (bytes: string | Buffer): string[] =>
  lintItems(lintablesIn(Buffer.from(bytes as string), 'a file'), OPTIONS).map(({ kind }) => kind);

/** The same SEQUENCE with its end marked in place of its length, as BER may have it. */
const indefinite = (der: Buffer): Buffer => Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(4), Buffer.from([0, 0])]);

describe('what lint reads', () => {
  const crl = crlOf({ by: issuing });

  it('labels what it finds by names that steer no terminal, escaped once', () => {
    const { certificate } = certify({ name: 'a\u001b[31m\nb' });
    const [item] = lintItems(lintablesIn(Buffer.from(pem(certificate)), 'a file'), OPTIONS);
    assert.equal(item?.label, String.raw`a\u001b[31m\u000ab`);
  });

  it('takes PEM and DER, chains, CRLs, and what stands among them', () => {
    assert.deepEqual(kindsOf(leaf().der), ['certificate']);
    assert.deepEqual(kindsOf(crl.der), ['crl']);
    assert.deepEqual(kindsOf(pem(leaf(), issuing.certificate) + privateKeyToPem(issuing.key) + toPem('X509 CRL', crl.der)), [
      ...['certificate', 'certificate', 'chain', 'crl'],
    ]);
    assert.deepEqual(codesOf(toPem('TRUSTED CERTIFICATE', Buffer.concat([leaf().der, Buffer.from([0x30, 0])]))), []);
  });

  it('finds BER, of indefinite length or with a length that is too long', () => {
    assert.deepEqual(codesOf(indefinite(leaf().der)), ['NOT_DER']);
    assert.deepEqual(codesOf(toPem('CERTIFICATE', indefinite(leaf().der))), ['NOT_DER']);
    const { der } = leaf();
    const longer = Buffer.concat([Buffer.from([0x30, 0x83, 0, der[2]!, der[3]!]), der.subarray(4)]);
    assert.deepEqual(codesOf(toPem('CERTIFICATE', longer)), ['NOT_DER']);
  });

  it('goes on behind what cannot be read', () => {
    const torn = toPem('CERTIFICATE', leafDer().subarray(0, 300));
    assert.deepEqual(codesOf(pem(leaf()) + torn + pem(root.certificate)), ['CHAIN_GAP', 'CERT_MALFORMED']);
  });

  it('refuses files that have nothing for it', () => {
    for (const bytes of [privateKeyToPem(issuing.key), 'nothing', Buffer.from('302a300506032b6570032100'.padEnd(88, '7'), 'hex')])
      assert.throws(() => codesOf(bytes), { code: 'FILE_UNRECOGNIZED' });
    assert.throws(() => lintablesOf('/nowhere'), { code: 'FILE_NOT_FOUND' });
  });
});

describe('lint as a library', () => {
  it('takes a certificate, its issuer, a CRL, or what cannot be read', () => {
    const late = leaf({}, { notAfter: shifted(6 * 365 * 86_400_000) });
    const codes = (findings: readonly { readonly code: string }[]): string[] => findings.map(({ code }) => code);
    assert.deepEqual(codes(lintCertificate(late, OPTIONS)), ['LIFE_TOO_LONG']);
    assert.deepEqual(codes(lintCertificate(late, { ...OPTIONS, issuer: issuing.certificate })), ['OUTLIVES_ISSUER', 'LIFE_TOO_LONG']);
    assert.deepEqual(codes(lintCrl(crlOf({ by: issuing, nextUpdate: null }), OPTIONS)), ['CRL_NEXT_UPDATE_MISSING']);
    const unread = lintablesIn(Buffer.from(toPem('CERTIFICATE', Buffer.from([0x30, 0]))), 'a file')[0]!;
    assert.ok(unread.kind === 'unreadable');
    assert.deepEqual(codes(lintUnreadable(unread, OPTIONS)), ['CERT_MALFORMED']);
  });

  it('takes a chain: each with its issuer, and all of them together', () => {
    const items = lintChain([leaf(), root.certificate], OPTIONS);
    assert.deepEqual(
      items.map(({ label, kind, findings }) => [label, kind, findings.map(({ code }) => code)]),
      [
        ['api.shop.test', 'certificate', []],
        ['root', 'certificate', []],
        ['2 certificates of api.shop.test', 'chain', ['CHAIN_GAP']],
      ],
    );
  });

  it('takes files, and goes on behind one that cannot be read', () => {
    const directory = temporaryDirectory();
    const good = directory.file('good.crt', pem(leaf()));
    const { files, errors } = lintFiles([good, '/nowhere'], OPTIONS);
    assert.deepEqual(
      files.map(({ file }) => file),
      [good],
    );
    assert.deepEqual(
      errors.map(({ file, code }) => [file, code]),
      [['/nowhere', 'FILE_NOT_FOUND']],
    );
    assert.throws(() => lintFiles(['/nowhere'], OPTIONS), { code: 'FILE_NOT_FOUND' });
    directory.remove();
  });
});

describe('a batch of lint', () => {
  const answer = (request: unknown): ReturnType<typeof answerLintLine> =>
    answerLintLine(typeof request === 'string' ? request : JSON.stringify(request), OPTIONS);

  it('answers with code, severity and message', () => {
    const { id, findings } = answer({ id: 'a', cert: pem(leaf({ subjectKeyIdentifier: null })) });
    assert.equal(id, 'a');
    assert.deepEqual(findings, [{ code: 'SKI_MISSING', severity: 'warning', message: 'expected a subject key identifier, found none' }]);
    assert.deepEqual(answer({ id: 'b', cert: pem(leaf()) }), { id: 'b', findings: [] });
  });

  it('takes a profile and an instant of its own', () => {
    assert.deepEqual(
      answer({ id: 'a', cert: pem(leaf()), at: '2027-01-01T00:00:00Z' }).findings.map(({ code }) => code),
      ['CERT_EXPIRED'],
    );
    assert.deepEqual(answer({ id: 'a', cert: pem(leaf()), at: '2027-01-01T00:00:00Z', profile: 'rfc5280' }).findings, []);
  });

  it('answers what is no request, and never throws', () => {
    const bad: readonly (readonly [unknown, string])[] = [
      ['', 'VALUE_INVALID'],
      ['[]', 'VALUE_INVALID'],
      ['['.repeat(100_000), 'VALUE_INVALID'],
      [{ id: 'a' }, 'VALUE_INVALID'],
      [{ id: 1, cert: pem(leaf()) }, 'VALUE_INVALID'],
      [{ cert: pem(leaf()) }, 'VALUE_INVALID'],
      [{ id: 'a', cert: 'text' }, 'VALUE_INVALID'],
      [{ id: 'a', cert: '-----BEGIN CERTIFICATE-----\nMAA=' }, 'PEM_MALFORMED'],
      [{ id: 'a', cert: toPem('CERTIFICATE', Buffer.from([0x30, 0])) }, 'CERT_MALFORMED'],
      [{ id: 'a', cert: pem(leaf()), profile: 'x' }, 'VALUE_INVALID'],
      [{ id: 'a', cert: privateKeyToPem(issuing.key) }, 'FILE_UNRECOGNIZED'],
    ];
    for (const [request, code] of bad) {
      const { findings } = answer(request);
      assert.deepEqual(
        findings.map((finding) => [finding.code, finding.severity]),
        [[code, 'error']],
      );
    }
  });
});

describe('a baseline', () => {
  const directory = temporaryDirectory();
  after(directory.remove);
  const path = `${directory.path}/known.json`;
  const files = [
    { file: 'a.crt', items: lintItems([{ kind: 'certificate', value: leaf({ subjectKeyIdentifier: null, keyUsage: null }) }], OPTIONS) },
  ];
  const report = (baseline: ReturnType<typeof readBaseline>) => reportOn({ files, at: AT, profile: 'mtls', baseline, limit: 'warning' });

  it('makes what it knows not count', () => {
    assert.equal(writeBaseline(path, files), 2);
    const { good, counts, files: left } = report(readBaseline(path));
    assert.equal(good, true);
    assert.deepEqual(counts, { error: 0, warning: 0, notice: 0, known: 2 });
    assert.deepEqual(left[0]!.items[0]!.findings, []);
  });

  it('knows a finding by its code and certificate', () => {
    const { knows } = readBaseline(path);
    const { sha256 } = files[0]!.items[0]!;
    assert.ok(knows('SKI_MISSING', sha256));
    assert.ok(!knows('EKU_MISSING', sha256));
    assert.ok(!knows('SKI_MISSING', '00'.repeat(32)));
  });

  it('is refused when it is none', () => {
    for (const text of [
      'no json',
      '{"version":2,"known":[]}',
      '{"version":1}',
      '{"version":1,"known":[1]}',
      '{"version":1,"known":[{"code":"X"}]}',
    ])
      assert.throws(() => readBaseline(directory.file('bad.json', text)), { code: 'VALUE_INVALID' });
  });
});

describe('what is asked of lint', () => {
  const bad = leaf({ subjectKeyIdentifier: null, authorityKeyIdentifier: null }, { notAfter: shifted(-1000) });
  const codes = (options: Partial<Parameters<typeof lintItems>[1]>): LintCode[] =>
    lintItems([{ kind: 'certificate', value: bad }], { ...OPTIONS, ...options }).flatMap(({ findings }) =>
      findings.map(({ code }) => code),
    );

  it('can be narrowed by severity, by profile and by code', () => {
    assert.deepEqual(codes({}), ['CERT_EXPIRED', 'SKI_MISSING', 'AKI_MISSING']);
    assert.deepEqual(codes({ minSeverity: 'warning' }), ['SKI_MISSING', 'AKI_MISSING']);
    assert.deepEqual(codes({ minSeverity: 'error' }), ['AKI_MISSING']);
    assert.deepEqual(codes({ profile: 'rfc5280', ignore: ['AKI_MISSING'] }), ['SKI_MISSING']);
  });
});
