import assert from 'node:assert/strict';
import { TAG } from '../../../src/pki/der.js';
import { type Node, element, embed, extension, oid, sequence, toDer } from '../../../src/pki/encode.js';
import { OID } from '../../../src/pki/oids.js';
import { lintItems } from '../../../src/validate/lint/index.js';
import { read } from '../../../src/validate/lint/sources.js';
import { AT } from '../../support/chains.js';
import { file, issuing, leaf, leafDer } from './support.js';

/** A value that is too large for a tree of values. */
const whole = (tag: number, contents: readonly Buffer[]): Node => embed(element(tag, contents));
const names = (tag: number, count: number, name: (i: number) => string): Node =>
  extension(
    OID.subjectAltName,
    false,
    whole(
      TAG.sequence,
      Array.from({ length: count }, (_, i) => element(tag, [Buffer.from(name(i), 'latin1')])),
    ),
  );

function lintTime(der: Buffer): { readonly milliseconds: number; readonly findings: number } {
  const item = read('certificate', der);
  assert.equal(item.kind, 'certificate');
  const start = performance.now();
  const findings = lintItems([item], { at: AT }).flatMap((one) => one.findings).length;
  return { milliseconds: performance.now() - start, findings };
}

describe('lint of what is huge', function () {
  this.timeout(60_000);
  const COUNT = 200_000;
  const HUGE: Readonly<Record<string, () => Buffer>> = {
    'names that are right': () => leafDer({ subjectAltName: names(0x82, COUNT, (i) => `a${i}.shop.test`) }),
    'names that are wrong': () => leafDer({ subjectAltName: names(0x82, COUNT, (i) => `-a${i}.shop.test`) }),
    'names of one label': () => leafDer({ subjectAltName: names(0x82, COUNT, (i) => `a${i}`) }),
    'names with an underscore': () => leafDer({ subjectAltName: names(0x82, COUNT, (i) => `a_${i}.test`) }),
    'SPIFFE IDs': () => leafDer({ subjectAltName: names(0x86, COUNT, (i) => `spiffe://shop.test/${i}`) }),
    'mailboxes that are wrong': () => leafDer({ subjectAltName: names(0x81, COUNT, (i) => `a..${i}`) }),
    'one long name': () => leafDer({ subjectAltName: names(0x82, 1, () => 'a.'.repeat(500_000)) }),
    'one long URI': () => leafDer({ subjectAltName: names(0x86, 1, () => `spiffe://${'a/'.repeat(500_000)}`) }),
    'one long mailbox': () => leafDer({ subjectAltName: names(0x81, 1, () => `"${'\\'.repeat(999_999)}@a.test`) }),
    'a subject of many attributes': () => {
      const attribute = (i: number): Buffer =>
        toDer(sequence(oid(OID.organizationName), embed(element(TAG.printableString, [Buffer.from(`a_${i}`)]))));
      const rdns = Array.from({ length: 40_000 }, (_, i) => element(TAG.set, [attribute(i)]));
      return leafDer({}, { subject: whole(TAG.sequence, rdns) });
    },
  };

  for (const [title, make] of Object.entries(HUGE)) {
    it(`takes little for ${title}, and says it shortly`, () => {
      const { milliseconds, findings } = lintTime(make());
      // a fifth of a million names: a second for a million, and as much again for a machine that is busy
      assert.ok(milliseconds < 1_000, `${milliseconds.toFixed(0)} ms`);
      assert.ok(findings < 40, `${findings} findings`);
    });
  }

  it('takes a file of the same certificate thousands of times', () => {
    const start = performance.now();
    lintItems(file(leaf(), ...Array<typeof issuing.certificate>(2_000).fill(issuing.certificate)), { at: AT });
    assert.ok(performance.now() - start < 2_000);
  });
});

describe('lint of what wants to steer a terminal', () => {
  it('shows it, cut and escaped', () => {
    const { findings } = lintItems(file(leaf({ subjectAltName: names(0x82, 1, () => `\x1b[31m${'a'.repeat(500)}`) })), { at: AT })[0]!;
    const { message } = findings.find(({ code }) => code === 'SAN_DNS_FORM')!;
    assert.match(message, /found \\u001b\[31maaa.*… \(505 characters\)$/);
    assert.ok(!message.includes('\x1b'));
  });
});
