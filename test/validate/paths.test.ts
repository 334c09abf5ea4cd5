import assert from 'node:assert/strict';
import { MtlsError } from '../../src/errors.js';
import { readCertificate } from '../../src/pki/certificate.js';
import { generateKey } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import type { Signer } from '../../src/pki/sign.js';
import { DAY, HOUR, type Recipe, authority, broken, certify, crlOf, shifted } from '../support/chains.js';
import { permitted } from '../support/extensions.js';
import { ask, certificates, codes, isBad, isGood, serials } from './support.js';

/** `count` CAs, the first issued by `top`, each of the others by the one before. */
function chain(top: Signer, count: number, recipe: (i: number) => Recipe = () => ({})): Signer[] {
  const made: Signer[] = [];
  for (let i = 0; i < count; i++) made.push(authority({ name: `ca ${i}`, by: made.at(-1) ?? top, ...recipe(i) }));
  return made;
}

const leaves = new Map<Signer, Signer>();
/** A leaf of that CA, the same one each time. */
function certifiedBy(by: Signer): Signer {
  const known = leaves.get(by) ?? certify({ by });
  leaves.set(by, known);
  return known;
}

const STALE = { notBefore: shifted(-3 * DAY), notAfter: shifted(-2 * DAY) } as const;
const root = authority({ name: 'root' });
const middle = authority({ name: 'middle', by: root });
const leaf = certify({ name: 'leaf', by: middle });

describe('a path', () => {
  it('is told leaf first and anchor last', () => {
    isGood(ask(leaf, [middle], [root]), leaf, middle, root);
    const direct = certify({ by: root });
    isGood(ask(direct, [], [root]), direct, root);
  });

  it('is found in any order of what is at hand', () => {
    const cas = chain(root, 4);
    const last = certify({ by: cas[3]! });
    isGood(ask(last, cas, [root]), last, ...cas.toReversed(), root);
    isGood(ask(last, cas.toReversed(), [root]), last, ...cas.toReversed(), root);
    isGood(ask(last, [cas[2]!, cas[0]!, cas[3]!, cas[1]!], [root]), last, ...cas.toReversed(), root);
  });

  it('is found among certificates that have nothing to do with it, and with the leaf and the root given again', () => {
    const others = chain(authority({ name: 'another root' }), 5);
    const namesake = authority({ name: 'middle', by: authority({ name: 'another root' }) });
    isGood(ask(leaf, [...others, namesake, leaf, root, middle, root], [root]), leaf, middle, root);
  });

  it('is not found without the intermediate, which is said by its name', () => {
    const verdict = ask(leaf, [], [root]);
    isBad(verdict, 'ISSUER_NOT_FOUND');
    assert.equal(verdict.errors[0]!.message, 'no certificate of middle at hand, the issuer of leaf');
    assert.equal(verdict.errors[0]!.subject, 'leaf');
  });

  it('is not found without an anchor', () => {
    isBad(ask(leaf, [middle, root], []), 'SELF_SIGNED_UNTRUSTED');
    isBad(ask(leaf, [middle], []), 'ISSUER_NOT_FOUND');
  });

  it('ends at any of several anchors', () => {
    const stranger = authority({ name: 'stranger' });
    isGood(ask(leaf, [middle], [stranger, root]), leaf, middle, root);
    isGood(ask(leaf, [middle, root], [middle, stranger]), leaf, middle);
  });
});

const nameOf = ({ certificate }: Signer): string => /node \d+/.exec(certificate.subject.der.toString('latin1'))![0];

describe('cross-signed CAs', () => {
  const old = authority({ name: 'old root' });
  const young = authority({ name: 'young root' });
  const cross = authority({ name: 'young root', key: young.key, by: old });
  const issuing = authority({ name: 'issuing', by: young });
  const signed = certify({ by: issuing });

  it('lead to the old root and to the young one', () => {
    isGood(ask(signed, [issuing, cross], [old]), signed, issuing, cross, old);
    isGood(ask(signed, [issuing, cross], [young]), signed, issuing, young);
    isGood(ask(signed, [cross, issuing], [old, young]), signed, issuing, young);
  });

  it('are passed by where one way is out of date', () => {
    const ended = authority({ name: 'young root', key: young.key, by: old, ...STALE });
    isGood(ask(signed, [issuing, ended], [young, old]), signed, issuing, young);
    isGood(ask(signed, [ended, issuing, cross], [old]), signed, issuing, cross, old);
    const verdict = ask(signed, [ended, issuing], [old]);
    isBad(verdict, 'CERT_EXPIRED');
    assert.equal(verdict.errors[0]!.subject, 'young root');
  });

  it('that sign each other are a loop, which ends', () => {
    const [a, b] = [authority({ name: 'a' }), authority({ name: 'b' })];
    const aByB = authority({ name: 'a', key: a.key, by: b });
    const bByA = authority({ name: 'b', key: b.key, by: a });
    const below = certify({ by: aByB });
    isBad(ask(below, [aByB, bByA], [root]), 'ISSUER_NOT_FOUND');
    isGood(ask(below, [bByA, aByB], [b]), below, aByB, b);
    isGood(ask(below, [bByA, aByB, a], [b]), below, aByB, b);
  });

  it('in a full graph of twelve are not walked where they lead nowhere, and end at the limit where no way is good', () => {
    const nodes = Array.from({ length: 12 }, (_, i) => authority({ name: `node ${i}` }));
    const edges = nodes.flatMap((by) =>
      nodes.filter((to) => to !== by).map((to, i) => authority({ name: nameOf(to), key: to.key, by, notAfter: shifted((i + 2) * DAY) })),
    );
    const below = certify({ by: nodes[0]! });
    isBad(ask(below, edges, [root]), 'ISSUER_NOT_FOUND');
    const strict = authority({ name: 'node 11', key: nodes[11]!.key, by: root, more: [permitted({ dns: ['elsewhere.test'] })] });
    const named = certify({ by: nodes[0]!, names: { dns: ['api.test'] } });
    isBad(ask(named, [...edges, strict], [root]), 'NAME_CONSTRAINT', 'SEARCH_LIMIT');
  });
});

describe('several certificates of one CA', () => {
  it('may be out of date but one', () => {
    const ended = Array.from({ length: 5 }, () => authority({ name: 'middle', key: middle.key, by: root, ...STALE }));
    const early = authority({ name: 'middle', key: middle.key, by: root, notBefore: shifted(HOUR) });
    isGood(ask(leaf, [...ended, early, middle], [root]), leaf, middle, root);
    isBad(ask(leaf, ended, [root]), 'CERT_EXPIRED');
  });

  it('count once, however often a bundle repeats them', () => {
    const ended = authority({ name: 'middle', key: middle.key, by: root, ...STALE });
    isGood(ask(leaf, [...Array<Signer>(1_000).fill(ended), middle], [root]), leaf, middle, root);
    isGood(
      ask(leaf, [middle], [...Array<Signer>(1_000).fill(authority({ name: 'root', key: root.key, ...STALE })), root]),
      leaf,
      middle,
      root,
    );
  });

  it('may be a root that is out of date and its successor of the same key', () => {
    const ended = authority({ name: 'root', key: root.key, ...STALE });
    isGood(ask(leaf, [middle], [ended, root]), leaf, middle, root);
    isBad(ask(leaf, [middle], [ended]), 'CERT_EXPIRED');
  });
});

describe('roots of one name', () => {
  for (const withoutKeyIds of [false, true]) {
    it(`with different keys are told apart by ${withoutKeyIds ? 'the signature' : 'key identifiers'}`, () => {
      const [first, second] = [authority({ name: 'twin', withoutKeyIds }), authority({ name: 'twin', withoutKeyIds })];
      const below = certify({ by: second, withoutKeyIds });
      isGood(ask(below, [], [first, second]), below, second);
      isGood(ask(below, [], [second, first]), below, second);
      const verdict = ask(below, [], [first]);
      isBad(verdict, withoutKeyIds ? 'SIGNATURE_INVALID' : 'ISSUER_NOT_FOUND');
      const [right, wrong] = [second, first].map(({ certificate }) => certificate.subjectKeyId);
      if (!withoutKeyIds)
        assert.equal(
          verdict.errors[0]!.message,
          `someone was issued by twin with key ${right}; the trusted CA of that name has key ${wrong}`,
        );
    });
  }

  it('but another key are what an untrusted root is said to have', () => {
    const impostor = authority({ name: 'root' });
    const verdict = ask(certify({ by: impostor }), [impostor], [root]);
    isBad(verdict, 'SELF_SIGNED_UNTRUSTED');
    assert.match(verdict.errors[0]!.message, /has the name of a trusted CA, but another key/);
    assert.match(ask(certify({ by: impostor }), [impostor], [middle]).errors[0]!.message, /not among the trust anchors/);
  });
});

describe('path length', () => {
  const limited = authority({ name: 'limited', pathLength: 1 });

  it('counts the CAs below, not the leaf', () => {
    const [one, two] = chain(limited, 2);
    isGood(ask(certifiedBy(limited), [], [limited]), certifiedBy(limited), limited);
    isGood(ask(certifiedBy(one!), [one!], [limited]), certifiedBy(one!), one!, limited);
    const verdict = ask(certifiedBy(two!), [one!, two!], [limited]);
    isBad(verdict, 'PATH_LENGTH_EXCEEDED');
    assert.equal(verdict.errors[0]!.message, 'limited: allows 1 CAs below it, found 2');
  });

  it('of zero takes a leaf, even one that is a CA, and no CA', () => {
    const zero = authority({ name: 'zero', pathLength: 0 });
    const below = authority({ name: 'below', by: zero });
    isGood(ask(below, [], [zero]), below, zero);
    isBad(ask(certifiedBy(below), [below], [zero]), 'PATH_LENGTH_EXCEEDED');
  });

  it('does not count self-issued certificates', () => {
    const renewed = authority({ name: 'limited', by: limited });
    const again = authority({ name: 'limited', by: renewed });
    const below = authority({ name: 'below', by: again });
    const last = certify({ by: below });
    isGood(ask(last, [renewed, again, below], [limited]), last, below, again, renewed, limited);
    const deeper = authority({ name: 'deeper', by: below });
    isBad(ask(certifiedBy(deeper), [renewed, again, below, deeper], [limited]), 'PATH_LENGTH_EXCEEDED');
  });

  it('of an intermediate counts too', () => {
    const strict = authority({ name: 'strict', by: root, pathLength: 0 });
    const below = authority({ name: 'below', by: strict });
    const verdict = ask(certifiedBy(below), [strict, below], [root]);
    isBad(verdict, 'PATH_LENGTH_EXCEEDED');
    assert.equal(verdict.errors[0]!.subject, 'strict');
  });
});

describe('depth', () => {
  it('is eight intermediates unless told otherwise', () => {
    const cas = chain(root, 9);
    isGood(ask(certifiedBy(cas[7]!), cas, [root]), certifiedBy(cas[7]!), ...cas.slice(0, 8).toReversed(), root);
    const verdict = ask(certifiedBy(cas[8]!), cas, [root]);
    isBad(verdict, 'ISSUER_NOT_FOUND');
    assert.match(verdict.errors[0]!.message, /at most 8 intermediates/);
    assert.equal(ask(certifiedBy(cas[8]!), cas, [root], { maxDepth: 9 }).valid, true);
  });

  it('counts intermediates: neither leaf nor anchor', () => {
    isGood(ask(certifiedBy(root), [], [root], { maxDepth: 0 }), certifiedBy(root), root);
    isBad(ask(leaf, [middle], [root], { maxDepth: 0 }), 'ISSUER_NOT_FOUND');
    isGood(ask(leaf, [middle], [root], { maxDepth: 1 }), leaf, middle, root);
    isGood(ask(leaf, [], [middle], { maxDepth: 0 }), leaf, middle);
  });

  it('does not count self-issued certificates', () => {
    const renewed = chain(middle, 3, () => ({ name: 'middle' }));
    const last = certifiedBy(renewed[2]!);
    isGood(ask(last, [middle, ...renewed], [root], { maxDepth: 1 }), last, ...renewed.toReversed(), middle, root);
    isBad(ask(last, [middle, ...renewed], [root], { maxDepth: 0 }), 'ISSUER_NOT_FOUND');
  });

  it('of a way that is too long does not hide a shorter one', () => {
    const cas = chain(root, 3);
    const short = authority({ name: 'ca 2', key: cas[2]!.key, by: root });
    const last = certifiedBy(cas[2]!);
    isGood(ask(last, [...cas, short], [root], { maxDepth: 1 }), last, short, root);
  });
});

describe('a trust anchor', () => {
  it('need not be self-signed', () => {
    isGood(ask(leaf, [], [middle]), leaf, middle);
    isGood(ask(leaf, [root, middle], [middle]), leaf, middle);
  });

  it('can be the leaf itself', () => {
    isGood(ask(leaf, [], [leaf]), leaf);
    const alone = certify({ name: 'alone' });
    isGood(ask(alone, [], [alone]), alone);
    isBad(ask(alone, [], [root]), 'SELF_SIGNED_UNTRUSTED');
    isBad(ask(alone, [alone], [root]), 'SELF_SIGNED_UNTRUSTED');
  });

  it('that is the leaf needs no CRL, and is bound to purpose, name and dates all the same', () => {
    const alone = certify({ name: 'alone', purposes: [OID.clientAuth], names: { dns: ['alone.test'] }, ...STALE });
    const crls = [crlOf({ by: root })];
    isGood(ask(leaf, [], [leaf], { crls }), leaf);
    const verdict = ask(alone, [], [alone], { crls, purpose: 'server', name: { host: 'other.test' } });
    isBad(verdict, 'EXTENDED_KEY_USAGE', 'NAME_MISMATCH', 'CERT_EXPIRED');
  });

  it('that is a leaf does not make it a CA', () => {
    const below = certify({ by: leaf });
    isBad(ask(below, [], [leaf]), 'NOT_A_CA', 'KEY_CERT_SIGN_MISSING');
  });

  it('counts with its own dates and constraints', () => {
    const early = authority({ name: 'early', notBefore: shifted(HOUR) });
    isBad(ask(certifiedBy(early), [], [early]), 'CERT_NOT_YET_VALID');
    const mail = authority({ name: 'mail', by: root, purposes: [OID.emailProtection] });
    isBad(ask(certifiedBy(mail), [], [mail], { purpose: 'server' }), 'EXTENDED_KEY_USAGE');
    isGood(ask(certifiedBy(mail), [], [mail]), certifiedBy(mail), mail);
  });

  it('of version 1 is no CA', () => {
    const bare = certify({ name: 'bare', bare: true });
    const verdict = ask(certify({ by: bare }), [], [bare]);
    isBad(verdict, 'NOT_A_CA');
    assert.match(verdict.errors[0]!.message, /no basic constraints \(version 1\)/);
  });

  it('of its own name that another key signed is none', () => {
    const forged = authority({ name: 'forged', signedBy: generateKey('ecdsa-p256') });
    isBad(ask(certifiedBy(forged), [], [forged]), 'SIGNATURE_INVALID');
    const renewed = authority({ name: 'root', by: root });
    isBad(ask(certifiedBy(renewed), [], [renewed]), 'SIGNATURE_INVALID');
    // rolled over: the key that signed it is at hand
    isGood(ask(certifiedBy(renewed), [root], [renewed]), certifiedBy(renewed), renewed);
  });

  it('of which one bit was changed is none', () => {
    const below = certifiedBy(root);
    const rootDer = root.certificate.der;
    const wrong: number[] = [];
    for (let bit = 0; bit < rootDer.length * 8; bit++) {
      const der = Buffer.from(rootDer);
      der[bit >> 3]! ^= 1 << (bit & 7);
      try {
        if (ask(below, [], [{ certificate: readCertificate(der), key: root.key }]).valid) wrong.push(bit);
      } catch (error) {
        assert.ok(error instanceof MtlsError);
      }
    }
    assert.deepEqual(wrong, []);
  });
});

describe('dates', () => {
  const second = 1_000;
  it('are inclusive at both ends, to the second', () => {
    const short = certify({ by: root, notBefore: shifted(0), notAfter: shifted(10 * second) });
    const at = (milliseconds: number): string[] => codes(ask(short, [], [root], { at: shifted(milliseconds) }));
    assert.deepEqual([at(0), at(5 * second), at(10 * second), at(10 * second + 999)], [[], [], [], []]);
    assert.deepEqual([at(-1), at(11 * second)], [['CERT_NOT_YET_VALID'], ['CERT_EXPIRED']]);
    assert.equal(
      ask(short, [], [root], { at: shifted(70 * second) }).errors[0]!.message,
      'someone: ended 2026-06-01T12:00:10Z, 1 minute before 2026-06-01T12:01:10Z',
    );
    assert.match(
      ask(short, [], [root], { at: shifted(-2 * HOUR) }).errors[0]!.message,
      /^someone: begins 2026-06-01T12:00:00Z, 2 hours after/,
    );
  });
});

describe('4,096 issuers of one name', function () {
  this.timeout(60_000);
  const count = 4096;
  const key = generateKey('ecdsa-p256');
  let roots: Signer[];

  before(() => {
    roots = Array.from({ length: count }, () => authority({ name: 'same', key, withoutKeyIds: true }));
  });

  it('are no hindrance where key identifiers tell them apart', () => {
    const many = Array.from({ length: count }, () => authority({ name: 'same', by: root }));
    for (const by of [many[0]!, many[count / 2]!, many[count - 1]!]) isGood(ask(certifiedBy(by), many, [root]), certifiedBy(by), by, root);
    const lost = certify({ by: authority({ name: 'same', by: root }) });
    isBad(ask(lost, many, [root]), 'ISSUER_NOT_FOUND');
  });

  it('are tried by their signatures where nothing tells them apart', () => {
    const many = Array.from({ length: count }, () => authority({ name: 'same', by: root, key, withoutKeyIds: true }));
    const right = authority({ name: 'same', by: root, withoutKeyIds: true });
    const below = certify({ by: right });
    isGood(ask(below, [...many, right], [root]), below, right, root);
    isGood(ask(below, [], [...roots, right]), below, right);
  });

  it('end at the limit where each has a key of its own, and the first failure is said with it', () => {
    const many = Array.from({ length: 5_000 }, () => authority({ name: 'same', withoutKeyIds: true }));
    const below = certify({ by: authority({ name: 'same', withoutKeyIds: true }) });
    isBad(ask(below, [], many), 'SIGNATURE_INVALID', 'SEARCH_LIMIT');
  });

  it('are not walked where they are self-issued and lead nowhere', () => {
    isBad(ask(certify({ by: roots[0]! }), roots, [root]), 'SELF_SIGNED_UNTRUSTED');
  });
});

describe('a refusal', () => {
  it('explains the path with the fewest faults', () => {
    const worse = authority({ name: 'middle', key: middle.key, by: root, ...STALE, keyUsage: ['cRLSign'], ca: false });
    const bad = authority({ name: 'middle', key: middle.key, by: root, ...STALE });
    for (const order of [
      [worse, bad],
      [bad, worse],
    ]) {
      const verdict = ask(leaf, order, [root]);
      isBad(verdict, 'CERT_EXPIRED');
      assert.deepEqual(serials(verdict.path), serials(certificates([leaf, bad, root])));
    }
  });

  it('explains a path to an anchor rather than one to nowhere', () => {
    const nowhere = authority({ name: 'middle', key: middle.key, by: authority({ name: 'nobody' }) });
    const bad = authority({ name: 'middle', key: middle.key, by: root, ...STALE, keyUsage: ['cRLSign'] });
    isBad(ask(leaf, [nowhere, bad], [root]), 'CERT_EXPIRED', 'KEY_CERT_SIGN_MISSING');
  });

  it('explains the longest way to nowhere, with all that is wrong on it', () => {
    const ended = authority({ name: 'middle', key: middle.key, by: authority({ name: 'nobody' }), ...STALE });
    const verdict = ask(leaf, [ended], [root]);
    isBad(verdict, 'CERT_EXPIRED', 'ISSUER_NOT_FOUND');
    assert.deepEqual(serials(verdict.path), serials(certificates([leaf, ended])));
  });

  it('says all that is wrong with the leaf and its path at once', () => {
    const server = certify({ by: middle, purposes: [OID.serverAuth], names: { dns: ['api.test'] }, ...STALE });
    const verdict = ask({ ...server, certificate: broken(server.certificate) }, [middle], [root], {
      purpose: 'client',
      name: { host: 'db.test' },
    });
    isBad(verdict, 'EXTENDED_KEY_USAGE', 'NAME_MISMATCH', 'CERT_EXPIRED', 'SIGNATURE_INVALID');
  });
});
