import assert from 'node:assert/strict';
import { readLine } from '../../../src/authority/ledger/issued-line.js';
import { type Issued, newLedger, readEntry } from '../../../src/authority/ledger/ledger.js';
import { AT } from '../../support/chains.js';
import { failure } from '../../support/failure.js';

const issued: Issued = {
  ...{ event: 'issued', at: AT, by: 'me', serial: '00ab', issuer: 'cd', name: 'api', namespace: 'default', profile: 'peer' },
  ...{ uri: 'spiffe://shop.test/ns/default/sa/api', dns: ['api', 'localhost'], ip: ['::1'], notBefore: AT, notAfter: AT },
  sha256: '0'.repeat(64),
};
const lineOf = (entry: Issued): string => newLedger([entry]).trimEnd();
const usual = lineOf(issued);

/** The same line, read both ways. */
function assertSame(line: string): void {
  const { by = '', at, notBefore, notAfter, ...entry } = readEntry(line, 'ledger') as Issued;
  const text = { at: at.toISOString(), notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() };
  const { serial, issuer, name, namespace, profile, uri, sha256, renews } = entry;
  const found = readLine(line, 'ledger') as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries({ by, ...text, serial, issuer, name, namespace, profile, uri, sha256, renews }))
    assert.equal(found[field], value, `${field} of ${line.slice(0, 200)}`);
}

describe('a line of the ledger, read for little of it', () => {
  it('says what it says to whoever reads all of it', () => {
    const lines = [
      usual,
      lineOf({ ...issued, renews: '0123', dns: [], ip: [] }),
      lineOf({ ...issued, by: 'Jürgen "the \\ CA" 🔑\n', name: 'ä' }),
      lineOf({ ...issued, dns: Array.from({ length: 20_000 }, (_, i) => `n${i}`) }),
      lineOf({ ...issued, at: new Date('2028-02-29T23:59:59.999Z'), notAfter: new Date('2026-12-31T00:00:00Z') }),
      usual.replace('.000Z', '+02:00'),
      usual.replace(AT.toISOString(), '0099-01-01T00:00:00.000Z'),
      usual.replace('"name":"api",', '').replace('{', '{ "name" : "web", '),
      usual.replace('"by":"me"', '"more":1,"by":"me"'),
    ];
    for (const line of lines) assertSame(line);
    const revoked =
      '{"event":"revoked","at":"2026-06-01T12:00:00Z","by":"me","serial":"ab","issuer":"cd","notAfter":"2026-06-01T12:00:00Z","reason":"superseded"}';
    assert.deepEqual(readLine(revoked, 'ledger'), readEntry(revoked, 'ledger'));
  });

  it('is refused for the same reasons', async () => {
    const wrong = [
      usual.replace('"00ab"', '"0ab"'),
      usual.replace('"00ab"', '"00AB"'),
      usual.replace('-06-01T', '-02-30T'),
      usual.replace('T12:00', 'T24:59'),
      usual.replace('T12:00', 'T12:60'),
      usual.replace('-06-', '-13-'),
      usual.replace('"api"', '1'),
      usual.replace('["api"', '[1,"api"'),
      usual.replace('["api"', '["api",'),
      usual.replace('"peer"', '"pe\ner"'),
      usual.replace('"peer"', '"pe\\er"'),
      usual.slice(0, -1),
      `${usual}}`,
      usual.replace('"sha256"', '"sha265"'),
      usual.replace('issued', 'granted'),
      '',
    ];
    for (const line of wrong) {
      const [strictly, quickly] = [await refusal(() => readEntry(line, 'ledger', 7)), await refusal(() => readLine(line, 'ledger', 7))];
      assert.deepEqual(quickly, strictly, line.slice(0, 200));
      assert.equal(quickly.line, 7);
    }
  });
});

const refusal = async (act: () => unknown) => (await failure('LEDGER_CORRUPT', act)).facts;
