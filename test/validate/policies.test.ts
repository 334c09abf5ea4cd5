import assert from 'node:assert/strict';
import type { Node } from '../../src/pki/encode.js';
import { boolean, extension, oid, sequence, utf8 } from '../../src/pki/encode.js';
import { OID } from '../../src/pki/oids.js';
import type { Signer } from '../../src/pki/sign.js';
import type { PolicyInputs, Verdict } from '../../src/validate/request.js';
import { type Recipe, authority, certify } from '../support/chains.js';
import { inhibitAny, mappings, policies, policyConstraints } from '../support/extensions.js';
import { ask, codes, isBad, isGood } from './support.js';

const ANY = OID.anyPolicy;
const [A, B, C, D] = ['1.2.3.1', '1.2.3.2', '1.2.3.3', '1.2.3.4'];
const root = authority({ name: 'root' });

/** A path of CAs below the root, each with these extensions, and a leaf with the last ones. */
function path(...extensions: readonly (readonly Node[])[]): Signer[] {
  const made: Signer[] = [];
  for (const [i, more] of extensions.entries()) {
    const recipe: Recipe = { name: `ca ${i}`, by: made.at(-1) ?? root, more };
    made.push(i === extensions.length - 1 ? certify({ ...recipe, name: 'leaf' }) : authority(recipe));
  }
  return made;
}

const judge = (made: readonly Signer[], policy: PolicyInputs = {}): Verdict => ask(made.at(-1)!, made.slice(0, -1), [root], { policy });
const EXPLICIT = { explicit: true } as const;

describe('certificate policies', () => {
  it('are nobody’s business unless somebody asks', () => {
    isGood(judge(path([policies(A)], [policies(B)])));
    isGood(judge(path([], [])));
    isGood(judge(path([policies(A)], []), { initial: [C] }));
  });

  it('asked for must hold from the top to the leaf', () => {
    isGood(judge(path([policies(A)], [policies(A)]), EXPLICIT));
    isGood(judge(path([policies(A, B)], [policies(B, C)]), EXPLICIT));
    isBad(judge(path([policies(A)], [policies(B)]), EXPLICIT), 'POLICY_NOT_VALID');
    isBad(judge(path([policies(A)], []), EXPLICIT), 'POLICY_NOT_VALID');
    isBad(judge(path([], [policies(A)]), EXPLICIT), 'POLICY_NOT_VALID');
  });

  it('of the user are those that count', () => {
    const made = path([policies(A, B)], [policies(A, B)]);
    for (const initial of [[A], [B], [A, C], [ANY]]) isGood(judge(made, { ...EXPLICIT, initial }));
    for (const initial of [[C], []]) isBad(judge(made, { ...EXPLICIT, initial }), 'POLICY_NOT_VALID');
  });

  it('that are any stand for each, until that is inhibited', () => {
    isGood(judge(path([policies(ANY)], [policies(A)]), EXPLICIT));
    isGood(judge(path([policies(ANY)], [policies(A)]), { ...EXPLICIT, initial: [A] }));
    isBad(judge(path([policies(ANY)], [policies(A)]), { ...EXPLICIT, initial: [B] }), 'POLICY_NOT_VALID');
    isGood(judge(path([policies(A)], [policies(ANY)]), { ...EXPLICIT, initial: [A] }));
    isGood(judge(path([policies(ANY)], [policies(ANY)]), { ...EXPLICIT, initial: [A] }));
    isBad(judge(path([policies(ANY)], [policies(A)]), { ...EXPLICIT, inhibitAny: true }), 'POLICY_NOT_VALID');
    // the certificate that inhibits is not bound itself; 0 binds the next one, 1 the one after
    isBad(judge(path([policies(A), inhibitAny(0)], [policies(ANY)]), EXPLICIT), 'POLICY_NOT_VALID');
    isGood(judge(path([policies(A), inhibitAny(1)], [policies(ANY)]), EXPLICIT));
    isBad(judge(path([policies(A), inhibitAny(1)], [policies(A)], [policies(ANY)]), EXPLICIT), 'POLICY_NOT_VALID');
    // nobody below can allow it again
    isBad(judge(path([policies(A), inhibitAny(0)], [policies(A), inhibitAny(5)], [policies(ANY)]), EXPLICIT), 'POLICY_NOT_VALID');
  });

  it('are asked for by CAs too, some certificates later', () => {
    const need = (explicit: number): Node => policyConstraints({ explicit });
    isBad(judge(path([policies(A), need(0)], [policies(B)])), 'POLICY_NOT_VALID');
    isBad(judge(path([policies(A), need(1)], [policies(B)])), 'POLICY_NOT_VALID');
    isGood(judge(path([policies(A), need(2)], [policies(B)])));
    isGood(judge(path([policies(A), need(0)], [policies(A)])));
    // of the leaf, only 0 says anything (RFC 5280 §6.1.5 b)
    isBad(judge(path([policies(A)], [policies(B), need(0)])), 'POLICY_NOT_VALID');
    isGood(judge(path([policies(A)], [policies(B), need(1)])));
    isBad(judge(path([policies(A), need(10)], [policies(A), need(0)], [])), 'POLICY_NOT_VALID');
  });

  it('are called otherwise where a CA maps them', () => {
    isGood(judge(path([policies(A), mappings([A, B])], [policies(B)]), { ...EXPLICIT, initial: [A] }));
    isBad(judge(path([policies(A), mappings([A, B])], [policies(A)]), EXPLICIT), 'POLICY_NOT_VALID');
    isBad(judge(path([policies(A), mappings([A, B])], [policies(B)]), { ...EXPLICIT, initial: [B] }), 'POLICY_NOT_VALID');
    const twice = path([policies(A), mappings([A, B])], [policies(B), mappings([B, C])], [policies(C)]);
    isGood(judge(twice, { ...EXPLICIT, initial: [A] }));
    isBad(judge(twice, { ...EXPLICIT, initial: [C] }), 'POLICY_NOT_VALID');
    // one to many, and many to one
    isGood(judge(path([policies(A), mappings([A, B], [A, C])], [policies(C)]), { ...EXPLICIT, initial: [A] }));
    const joined = path([policies(A, B), mappings([A, C], [B, C])], [policies(C)]);
    for (const initial of [[A], [B]]) isGood(judge(joined, { ...EXPLICIT, initial }));
    isBad(judge(joined, { ...EXPLICIT, initial: [C] }), 'POLICY_NOT_VALID');
    // what is mapped though only anyPolicy was asserted
    isGood(judge(path([policies(ANY), mappings([A, B])], [policies(B)]), { ...EXPLICIT, initial: [A] }));
    // a mapping of what is not asserted maps nothing
    isBad(judge(path([policies(A), mappings([D, B])], [policies(B)]), EXPLICIT), 'POLICY_NOT_VALID');
  });

  it('are not called otherwise where mapping is inhibited', () => {
    const mapped = path([policies(A), mappings([A, B])], [policies(B)]);
    isBad(judge(mapped, { ...EXPLICIT, inhibitMapping: true }), 'POLICY_NOT_VALID');
    const constrained = (mapping: number): Signer[] =>
      path([policies(A), policyConstraints({ mapping })], [policies(A), mappings([A, B])], [policies(B)]);
    isBad(judge(constrained(0), EXPLICIT), 'POLICY_NOT_VALID');
    isGood(judge(constrained(1), EXPLICIT));
    // a mapping that is not allowed takes the policy away, even for who does not use the new name
    isBad(
      judge(path([policies(A), policyConstraints({ mapping: 0 })], [policies(A), mappings([A, B])], [policies(A)]), EXPLICIT),
      'POLICY_NOT_VALID',
    );
  });

  it('are not mapped to or from any', () => {
    for (const pair of [
      [A, ANY],
      [ANY, A],
    ] as const)
      isBad(judge(path([policies(A), mappings(pair)], [policies(A)])), 'POLICY_MAPPING_ANY');
  });

  it('pass self-issued certificates by in counting', () => {
    const ca = authority({ name: 'ca', by: root, more: [policies(A), inhibitAny(1)] });
    const renewed = authority({ name: 'ca', by: ca, more: [policies(ANY)] });
    const leaf = certify({ by: renewed, more: [policies(ANY)] });
    isGood(ask(leaf, [ca, renewed], [root], { policy: EXPLICIT }));
    const strict = authority({ name: 'ca', by: root, more: [policies(A), inhibitAny(0)] });
    const again = authority({ name: 'ca', by: strict, more: [policies(ANY)] });
    isGood(ask(certify({ by: again, more: [policies(A)] }), [strict, again], [root], { policy: EXPLICIT }));
    isBad(ask(certify({ by: again, more: [policies(ANY)] }), [strict, again], [root], { policy: EXPLICIT }), 'POLICY_NOT_VALID');
  });

  it('of a leaf that is a trust anchor need nothing above it', () => {
    isGood(ask(root, [], [root], { policy: { ...EXPLICIT, initial: [A] } }));
  });

  it('with qualifiers that nobody knows are refused where they are critical', () => {
    const qualified = (id: string, critical: boolean): Node =>
      extension(OID.certificatePolicies, critical, sequence(sequence(oid(A), sequence(sequence(oid(id), utf8('x'))))));
    for (const id of [OID.cpsQualifier, OID.userNoticeQualifier]) isGood(judge(path([policies(A)], [qualified(id, true)]), EXPLICIT));
    isGood(judge(path([policies(A)], [qualified('1.2.3', false)]), EXPLICIT));
    isBad(judge(path([policies(A)], [qualified('1.2.3', true)]), EXPLICIT), 'CRITICAL_EXTENSION_UNSUPPORTED');
  });

  it('that are malformed refuse the path', () => {
    const malformed = [
      extension(OID.certificatePolicies, false, sequence()),
      extension(OID.certificatePolicies, false, sequence(sequence(oid(A)), sequence(oid(A)))),
      extension(OID.certificatePolicies, false, sequence(sequence(oid(A), sequence()))),
      extension(OID.policyMappings, true, sequence()),
      extension(OID.policyConstraints, true, sequence()),
      extension(OID.inhibitAnyPolicy, true, boolean(true)),
    ];
    for (const one of malformed) isBad(judge(path([one], [])), 'EXTENSION_MALFORMED');
  });

  it('do not grow without bound, however they are mapped (CVE-2023-0464)', function () {
    this.timeout(10_000);
    const all = Array.from({ length: 40 }, (_, i) => `1.2.4.${i}`);
    const many = mappings(...all.flatMap((from) => all.map((to) => [from, to] as const)));
    const made = path(...Array.from({ length: 8 }, () => [policies(...all), many]), [policies(...all)]);
    const before = process.cpuUsage();
    isGood(judge(made, { ...EXPLICIT, initial: [all[7]!] }));
    assert.deepEqual(codes(judge(made, { ...EXPLICIT, initial: ['1.2.5'] })), ['POLICY_NOT_VALID']);
    assert.ok(process.cpuUsage(before).user < 5_000_000);
  });
});
