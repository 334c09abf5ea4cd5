import assert from 'node:assert/strict';
import { type KeyObject, createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type Item, encodeItems, parseItems } from '../../scripts/fuzz/elements.js';
import { type Certificate, readCertificate } from '../../src/pki/certificate.js';
import { TAG, context, contextConstructed } from '../../src/pki/der.js';
import {
  algorithm,
  bitString,
  element,
  embed,
  enumerated,
  explicit,
  extension,
  integer,
  octetString,
  oid,
  sequence,
  toDer,
} from '../../src/pki/encode.js';
import { OID } from '../../src/pki/oids.js';
import { readOcspResponse } from '../../src/pki/ocsp.js';
import { toPem } from '../../src/pki/pem.js';
import type { Signer } from '../../src/pki/sign.js';
import { answerLine } from '../../src/validate/batch.js';
import { verify } from '../../src/validate/verify.js';
import { AT, authority, certify, crlOf } from '../support/chains.js';
import { isWithinLimits } from './cost.js';
import { crowded, extensionAround, fill, inside, unknownExtension } from './crowded.js';

type Request = Parameters<typeof verify>[0];

const key = generateKeyPairSync('ed25519').privateKey;
const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
const root = authority({ name: 'root', key });

/** Read anew for each try: what is remembered of a certificate from the last one would make this one cheap. */
function verdictOf(leaf: Signer, intermediates: readonly Signer[], roots: readonly Signer[], more: Partial<Request> = {}) {
  const again = ({ certificate }: Signer): Certificate => readCertificate(Buffer.from(certificate.der));
  return isWithinLimits(
    (request: Request) => verify(request),
    () => ({ leaf: again(leaf), intermediates: intermediates.map(again), roots: roots.map(again), crls: [], at: AT, ...more }),
  );
}

const texts =
  (stem: string, separator: string) =>
  (i: number): string =>
    `${stem}${i}${separator}test`;
const subtrees = (tag: number, count: number, text: (i: number) => string, list = 0): Buffer =>
  inside(
    Buffer.concat(Array.from({ length: count }, (_, i) => inside(Buffer.from(text(i)), TAG.sequence, tag))),
    ...[TAG.sequence, contextConstructed(list)],
  );
const names = (tag: number, count: number, text: (i: number) => string): Buffer =>
  inside(Buffer.concat(Array.from({ length: count }, (_, i) => element(tag, [Buffer.from(text(i))]))), TAG.sequence);

describe('a verdict in time', function () {
  this.timeout(120_000);

  describe('over name constraints', () => {
    const under = (constraints: Buffer, san: Buffer, depth = 1) => {
      let by = authority({ name: 'constrained', key: newKey(), by: root, more: [extensionAround(OID.nameConstraints, constraints)] });
      for (let i = 1; i < depth; i++)
        by = authority({ name: `below ${i}`, key: newKey(), by, more: [extensionAround(OID.nameConstraints, constraints)] });
      const leaf = certify({ name: 'leaf', key: newKey(), by, more: [extensionAround(OID.subjectAltName, san)] });
      return verdictOf(leaf, [by], [root]);
    };
    const many = 12_000;
    const kinds: Readonly<Record<string, readonly [base: Buffer, san: Buffer]>> = {
      'that permit none of many DNS names': [subtrees(context(2), many, texts('a', '.')), names(context(2), many, texts('b', '.'))],
      'that exclude none of many DNS names': [subtrees(context(2), many, texts('a', '.'), 1), names(context(2), many, texts('b', '.'))],
      'that permit the last of many DNS names': [
        subtrees(context(2), many, (i) => (i === many - 1 ? 'test' : `a${i}.test`)),
        names(context(2), many, texts('b', '.')),
      ],
      'that exclude none of many mailboxes': [subtrees(context(1), many, texts('a', '@'), 1), names(context(1), many, texts('b', '@'))],
      'that exclude none of many URIs': [subtrees(context(6), many, texts('a', '.'), 1), names(context(6), many, (i) => `b://b${i}.test/`)],
      'that exclude none of many addresses': [
        inside(
          fill(400_000, () => Buffer.from('300a87080a000000ff000000', 'hex')),
          TAG.sequence,
          contextConstructed(1),
        ),
        inside(
          fill(400_000, () => Buffer.from('87047f000001', 'hex')),
          TAG.sequence,
        ),
      ],
      'that exclude none of many directory names': [
        inside(
          fill(300_000, (i) => inside(directory(`a${i}`), TAG.sequence)),
          TAG.sequence,
          contextConstructed(1),
        ),
        inside(
          fill(300_000, (i) => directory(`b${i}`)),
          TAG.sequence,
        ),
      ],
      'over one mailbox that is very long': [
        subtrees(context(1), many, texts('a', '@'), 1),
        names(context(1), 1, () => `${'b'.repeat(500_000)}@b.test`),
      ],
      'over one URI that is very long': [
        subtrees(context(6), 6_000, texts('a', '.'), 1),
        names(context(6), 1, () => `https://${'b'.repeat(500_000)}@b.test/`),
      ],
      'over an internationalized mailbox that is none': [
        subtrees(context(1), 1, texts('a', '.')),
        inside(
          Buffer.concat([
            toDer(oid(OID.smtpUtf8Mailbox)),
            inside(Buffer.from(`${'b'.repeat(80_000)}@`), contextConstructed(0), TAG.utf8String),
          ]),
          ...[TAG.sequence, contextConstructed(0)],
        ),
      ],
    };
    for (const [what, [constraints, san]] of Object.entries(kinds)) it(what, () => void under(constraints, san));

    it('on each CA of a long path', () => {
      const constraints = subtrees(context(2), 5_000, texts('a', '.'), 1);
      const path: Signer[] = [];
      for (let i = 0; i < 8; i++) {
        const more = [extensionAround(OID.nameConstraints, constraints)];
        path.push(authority({ name: `ca ${i}`, key: newKey(), by: path.at(-1) ?? root, more }));
      }
      const san = names(context(2), 20_000, texts('b', '.'));
      verdictOf(certify({ key: newKey(), by: path.at(-1)!, more: [extensionAround(OID.subjectAltName, san)] }), path, [root]);
    });
  });

  describe('over policies', () => {
    const policy = (i: number): string => `1.2.3.${i}`;
    /** Each CA maps each policy to each: without an end, a tree of them would grow by that factor with each (CVE-2023-0464). */
    function chain(count: number, depth: number, any: boolean) {
      const all = Array.from({ length: count }, (_, i) => policy(i));
      const asserted = (any ? [...all, OID.anyPolicy] : all).map((text) => sequence(oid(text)));
      const mappings = all.flatMap((from) => all.map((to) => toDer(sequence(oid(from), oid(to)))));
      const more = [
        extension(OID.certificatePolicies, false, sequence(...asserted)),
        extensionAround(OID.policyMappings, element(TAG.sequence, mappings)),
      ];
      const path: Signer[] = [];
      for (let i = 0; i < depth; i++) path.push(authority({ name: `ca ${i}`, key: newKey(), by: path.at(-1) ?? root, more }));
      return { path, leaf: certify({ key: newKey(), by: path.at(-1)!, more: more.slice(0, 1) }) };
    }
    for (const [count, depth, any] of [
      [8, 8, false],
      [60, 8, false],
      [60, 8, true],
      [200, 3, true],
      [2, 60, true],
    ] as const) {
      it(`${count} of them, each mapped to each, ${depth} times${any ? ', with any policy' : ''}`, () => {
        const { path, leaf } = chain(count, depth, any);
        for (const policy of [{ explicit: true }, { explicit: true, initial: ['1.2.3.1'] }, { explicit: true, initial: ['9.9'] }])
          verdictOf(leaf, path, [root], { maxDepth: depth, policy });
        const [below, ...above] = [leaf, ...path].map(({ certificate }) => toPem('CERTIFICATE', certificate.der));
        const line = { id: 'a', leaf: below, intermediates: above, roots: [toPem('CERTIFICATE', root.certificate.der)], crls: [] };
        isWithinLimits(() => answerLine(JSON.stringify({ ...line, maxDepth: depth, policy: { explicit: true } }), AT));
      });
    }
  });

  describe('over issuers of one name', () => {
    const count = 4096;
    for (const withoutKeyIds of [false, true]) {
      it(`${count}, ${withoutKeyIds ? 'without' : 'with'} key identifiers`, () => {
        const many = Array.from({ length: count }, () => authority({ name: 'same', key: newKey(), by: root, withoutKeyIds }));
        const other = authority({ name: 'same', key: newKey(), by: root, withoutKeyIds });
        for (const by of [many[0]!, many[count - 1]!, other]) verdictOf(certify({ key: newKey(), by, withoutKeyIds }), many, [root]);
        verdictOf(certify({ key: newKey(), by: other, withoutKeyIds }), [], many);
      });
    }

    it('that issued each other, so that every way is one', () => {
      const first = authority({ name: 'same', key: newKey(), withoutKeyIds: true });
      const ring = Array.from({ length: 1_000 }, () => authority({ name: 'same', key: newKey(), by: first, withoutKeyIds: true }));
      const crossed = [...ring, ...ring.map((by) => authority({ name: 'same', key: first.key, by, withoutKeyIds: true }))];
      verdictOf(certify({ key: newKey(), by: first, withoutKeyIds: true }), crossed, [root]);
    });

    it('and CAs that all signed each other, below one that may have none under it', () => {
      const keys = Array.from({ length: 24 }, newKey);
      const issuedBy = (i: number, by: Signer, pathLength?: number): Signer =>
        authority({ name: `ca ${i}`, key: keys[i]!, by, withoutKeyIds: true, ...(pathLength === undefined ? {} : { pathLength }) });
      const own = keys.map((_, i) => issuedBy(i, root));
      const mesh = own.flatMap((by, i) => keys.flatMap((_, j) => (i === j ? [] : [issuedBy(j, by)])));
      const leaf = certify({ key: newKey(), by: own[0]!, withoutKeyIds: true });
      const { errors } = verdictOf(leaf, [...mesh, issuedBy(23, root, 0)], [root]);
      assert.ok(errors.some(({ code }) => code === 'SEARCH_LIMIT'));
    });

    it('with RSA keys whose exponent is as long as the modulus', () => {
      const real = generateKeyPairSync('rsa', { modulusLength: 3072 });
      const { n } = real.publicKey.export({ format: 'jwk' });
      const slow = Buffer.from(n!, 'base64url');
      const exponent = Buffer.concat([slow.subarray(0, -1), Buffer.from([slow.at(-1)! - 2])]);
      const spki = createPublicKey({ key: { kty: 'RSA', n: n!, e: exponent.toString('base64url') }, format: 'jwk' });
      const by = authority({ name: 'same', key: real.privateKey });
      const leaf = certify({ key: newKey(), by, withoutKeyIds: true });
      const der = spki.export({ format: 'der', type: 'spki' });
      const many = Array.from({ length: 800 }, (_, i) => {
        const other = authority({ name: 'same', key: newKey(), by: root, withoutKeyIds: true });
        // another key each, of which the signature that nobody looks at says nothing
        const changed = Buffer.from(der);
        changed.writeUInt32BE(i, 100);
        return { ...other, certificate: readCertificate(withKey(other.certificate.der, changed)) };
      });
      verdictOf(leaf, [], many);
    });
  });

  describe('over names', () => {
    it('that are long runs of marks, which normalization sorts', () => {
      // each pair of marks is in the wrong order: what Unicode does about it takes the square of their number
      const name = `a${'\u0301\u0323'.repeat(32_000)}`;
      const other = authority({ name: `${name}b`, key: newKey() });
      verdictOf(certify({ key: newKey(), by: authority({ name, key: newKey() }) }), [other], [root]);
    });

    it('that grow when they are normalized', () => {
      const name = '\ufdfa'.repeat(150_000);
      const other = authority({ name: `${name}b`, key: newKey() });
      verdictOf(certify({ key: newKey(), by: authority({ name, key: newKey() }) }), [other], [root]);
    });
  });

  it('over extensions that nobody knows, of a name that is long', () => {
    for (const name of ['n'.repeat(300_000), '\u0007'.repeat(300_000)]) {
      const list = Array.from({ length: 30_000 }, (_, i) => embed(unknownExtension(i, true)));
      const leaf = certify({ name, key: newKey(), by: root, more: list });
      assert.ok(leaf.certificate.der.length < 1_000_000);
      const verdict = verdictOf(leaf, [], [root]);
      const said = verdict.errors.reduce((sum, { message }) => sum + message.length, 0);
      assert.ok(said < 10_000_000, `${said} characters about one certificate`);
    }
  });

  describe('over CRLs', () => {
    const points = (count: number, text: (i: number) => string): Buffer =>
      inside(
        Buffer.concat(Array.from({ length: count }, (_, i) => element(context(6), [Buffer.from(text(i))]))),
        ...[contextConstructed(0), contextConstructed(0)],
      );

    it('4,000 of one issuer', () => {
      const crls = Array.from({ length: 4_000 }, () => crlOf({ by: root, signedBy: newKey() }));
      verdictOf(certify({ key: newKey(), by: root }), [], [root], { crls });
    });

    it('whose scope and the places of the certificate are many and none is the same', () => {
      const scope = element(TAG.sequence, [points(40_000, texts('crl:', '.'))]);
      const crl = crlOf({ by: root, more: [extensionAround(OID.issuingDistributionPoint, scope)] });
      const places = inside(points(40_000, texts('cert:', '.')), TAG.sequence, TAG.sequence);
      const leaf = certify({ key: newKey(), by: root, more: [extensionAround(OID.crlDistributionPoints, places)] });
      verdictOf(leaf, [], [root], { crls: [crl] });
    });

    it('of 43,000 entries, one of which may be critical', () => {
      const list = element(TAG.sequence, [fill(990_000, () => Buffer.from('301502040101ff00170d3236303630313030303030305a', 'hex'))]);
      verdictOf(certify({ key: newKey(), by: root }), [], [root], { crls: [crlOf({ by: root, list })] });
    });
  });

  describe('over OCSP responses', () => {
    const leaf = certify({ key: newKey(), by: root });
    const single = toDer(
      sequence(
        sequence(
          algorithm('1.3.14.3.2.26', true),
          ...[root.certificate.subject.der, root.certificate.publicKey.key].map((octets) =>
            octetString(createHash('sha1').update(octets).digest()),
          ),
          integer(Buffer.from(leaf.certificate.serial, 'hex')),
        ),
        embed(Buffer.from('8000', 'hex')),
        embed(element(TAG.generalizedTime, [Buffer.from('20260601110000Z')])),
        explicit(0, embed(element(TAG.generalizedTime, [Buffer.from('20260601130000Z')]))),
      ),
    );
    function response(responder: Buffer, extensions: Buffer, certificates: Buffer, count: number) {
      const data = element(TAG.sequence, [
        responder,
        element(TAG.generalizedTime, [Buffer.from('20260601110000Z')]),
        element(TAG.sequence, Array<Buffer>(count).fill(single)),
        ...(extensions.length === 0 ? [] : [inside(extensions, contextConstructed(1), TAG.sequence)]),
      ]);
      const basic = element(TAG.sequence, [
        data,
        toDer(algorithm(OID.ed25519, false)),
        toDer(bitString(sign(null, data, newKey()))),
        ...(certificates.length === 0 ? [] : [inside(certificates, contextConstructed(0), TAG.sequence)]),
      ]);
      const body = inside(basic, TAG.octetString);
      return element(TAG.sequence, [
        toDer(enumerated(0)),
        inside(Buffer.concat([toDer(oid('1.3.6.1.5.5.7.48.1.1')), body]), contextConstructed(0), TAG.sequence),
      ]);
    }
    const byName = inside(root.certificate.subject.der, contextConstructed(1));
    const byKey = inside(Buffer.alloc(20), contextConstructed(2), TAG.octetString);
    const crowds: Readonly<Record<string, Buffer>> = {
      'with many answers about one certificate': response(byName, Buffer.alloc(0), Buffer.alloc(0), 4_000),
      'with many answers and many extensions': response(
        byName,
        fill(400_000, (i) => unknownExtension(i, false)),
        Buffer.alloc(0),
        3_000,
      ),
      'with many answers and many certificates': response(
        byKey,
        Buffer.alloc(0),
        fill(450_000, () => leaf.certificate.der),
        2_000,
      ),
    };
    for (const [what, der] of Object.entries(crowds)) {
      it(what, () => {
        assert.ok(der.length < 1_000_000, String(der.length));
        verdictOf(leaf, [], [root], { ocsp: [isWithinLimits(() => readOcspResponse(der))] });
      });
    }
  });

  it('where anybody asks by a name and there are many', () => {
    const leaf = certify({
      key: newKey(),
      by: root,
      more: [crowded(OID.subjectAltName, 990_000, (i) => element(context(2), [Buffer.from(`a${i % 97}`)]))],
    });
    for (const name of [{ host: 'b.test' }, { ip: '::1' }, { uri: 'a:b' }, { email: 'a@b' }]) verdictOf(leaf, [], [root], { name });
  });
});

function directory(text: string): Buffer {
  const attribute = Buffer.concat([toDer(oid(OID.commonName)), element(TAG.utf8String, [Buffer.from(text)])]);
  return inside(attribute, contextConstructed(4), TAG.sequence, TAG.set, TAG.sequence);
}

/** The certificate with another key in it, and lengths that fit. */
function withKey(der: Buffer, key: Buffer): Buffer {
  const items = parseItems(der)!;
  const tbs = (items[0]!.content as Item[])[0]!.content as Item[];
  tbs[6] = { tag: TAG.sequence, content: [], verbatim: key };
  return encodeItems(items);
}
