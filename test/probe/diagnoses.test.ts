import assert from 'node:assert/strict';
import { RULES } from '../../src/probe/diagnose.js';
import { DIAGNOSES, DIAGNOSIS_CODES, type DiagnosisCode, impliesCode } from '../../src/probe/diagnoses.js';
import { STAGES } from '../../src/probe/index.js';
import { fact } from '../../src/probe/examine.js';
import type { Facts } from '../../src/probe/facts.js';
import { judgeRefusal } from '../../src/probe/judge.js';
import type { Refusal } from '../../src/probe/refusal.js';
import { systemClock } from '../../src/base/clock.js';

/** Every fault that the examination of our own files can find. */
const OWN_FAULTS: readonly DiagnosisCode[] = [
  'CLIENT_KEY_MISMATCH',
  'CLIENT_KEY_UNREADABLE',
  'CLIENT_SIGALG_UNSUPPORTED',
  'CLIENT_CERT_SELF_SIGNED',
  'CLIENT_CA_KEY_MISMATCH',
  'CLIENT_CHAIN_INCOMPLETE',
  'CLIENT_CERT_UNTRUSTED',
  'CLIENT_CHAIN_EXPIRED',
  'CLIENT_CERT_EXPIRED',
  'CLIENT_CERT_NOT_YET_VALID',
  'CLIENT_CERT_REVOKED',
  'CLIENT_CERT_WRONG_EKU',
  'CLIENT_CERT_WRONG_KEY_USAGE',
  'CLIENT_ISSUER_NOT_CA',
  'CLIENT_PATHLEN_EXCEEDED',
  'CLIENT_CERT_WEAK_KEY',
  'CLIENT_CERT_WEAK_SIGNATURE',
];

const ruled = new Set<DiagnosisCode>(RULES.map(({ code }) => code));

/** A refusal of a certificate that was sent, with these faults in our own files. */
function refusedFacts(refusal: Partial<Refusal>, faults: readonly DiagnosisCode[], issuerAccepted: boolean | undefined): Facts {
  const options = { host: 'api', port: 443, retries: true, clock: systemClock };
  return {
    options,
    now: new Date(),
    resolution: { addresses: ['127.0.0.1'], ms: 0 },
    connection: undefined,
    attempt: { transcript: { clientCertificates: [Buffer.alloc(1)] } } as unknown as NonNullable<Facts['attempt']>,
    server: undefined,
    client: {
      faults: faults.map((code) => fact(code, 'told')),
      issuerAccepted,
      presentable: true,
      anchored: false,
    } as unknown as NonNullable<Facts['client']>,
    refusal: { how: 'alert', alert: undefined, seen: 'seen', saysNoneSent: false, ...refusal },
    again: {},
  };
}

describe('the table of diagnoses', () => {
  it('has the 71 codes of the catalogue, each complete', () => {
    assert.equal(DIAGNOSIS_CODES.length, 71);
    for (const code of DIAGNOSIS_CODES) {
      const { side, stage, meaning, first, lessExact } = DIAGNOSES[code];
      assert.match(code, /^[A-Z][A-Z0-9_]+$/);
      assert.ok(['none', 'client', 'server', 'network', 'config'].includes(side), code);
      assert.ok(STAGES.includes(stage), code);
      assert.ok(meaning.length > 0 && first.length > 0, code);
      assert.ok(lessExact === undefined || lessExact in DIAGNOSES, `${code}: ${lessExact}`);
    }
  });

  it('holds every code that a rule can come to, and every alternative', () => {
    for (const code of ruled) assert.ok(code in DIAGNOSES, code);
    assert.ok(ruled.has('OK') && ruled.has('CLIENT_CERT_REJECTED') && ruled.has('TLS_HANDSHAKE_FAILED'));
  });

  it('knows which code says more than which', () => {
    assert.ok(impliesCode('CLIENT_CERT_SELF_SIGNED', 'CLIENT_CERT_UNTRUSTED'));
    assert.ok(impliesCode('MTLS_ANY_CERT_ACCEPTED', 'MTLS_NOT_REQUESTED'));
    assert.ok(!impliesCode('CLIENT_CERT_UNTRUSTED', 'CLIENT_CERT_SELF_SIGNED'));
    assert.ok(!impliesCode('OK', 'OK'));
  });
});

describe('the judgement of a refusal', () => {
  const clientCodes = DIAGNOSIS_CODES.filter((code) => code.startsWith('CLIENT_') && DIAGNOSES[code].stage === 'client-certificate');

  it('comes to a code that has a rule, for every alert and every fault', () => {
    const judged = new Set<DiagnosisCode>();
    for (const alert of [undefined, null, ...Array(256).keys()]) {
      for (const issuerAccepted of [undefined, false, true]) {
        judged.add(judgeRefusal(refusedFacts({ alert }, [], issuerAccepted))!.code);
        for (const fault of OWN_FAULTS) judged.add(judgeRefusal(refusedFacts({ alert }, [fault], issuerAccepted))!.code);
      }
    }
    assert.ok(judged.size > 5);
    for (const code of judged) assert.ok(ruled.has(code), `${code} has no rule`);
    assert.ok(clientCodes.includes('CLIENT_CERT_REJECTED'));
  });

  it('is certain only where the alert names the one fault', () => {
    const judge = (alert: number | undefined, ...faults: DiagnosisCode[]) => {
      const { code, confidence } = judgeRefusal(refusedFacts({ alert, how: alert === undefined ? 'closed' : 'alert' }, faults, true))!;
      return `${code} ${confidence}`;
    };
    assert.equal(judge(45, 'CLIENT_CERT_EXPIRED'), 'CLIENT_CERT_EXPIRED certain');
    assert.equal(judge(42, 'CLIENT_CERT_EXPIRED'), 'CLIENT_CERT_EXPIRED likely');
    assert.equal(judge(46, 'CLIENT_CERT_EXPIRED'), 'CLIENT_CERT_EXPIRED likely');
    assert.equal(judge(undefined, 'CLIENT_CERT_EXPIRED'), 'CLIENT_CERT_EXPIRED likely');
    assert.equal(judge(42), 'CLIENT_CERT_REJECTED possible');
    assert.equal(judge(46), 'CLIENT_CERT_REJECTED possible');
    assert.equal(judge(44), 'CLIENT_CERT_REVOKED certain');
    assert.equal(judge(45), 'SERVER_CRL_EXPIRED possible');
    // an alert about the issuer is not about the date
    assert.equal(judge(48, 'CLIENT_CERT_EXPIRED'), 'CLIENT_CA_KEY_MISMATCH possible');
  });

  it('names the more exact of two faults, and keeps those that are apart', () => {
    const both = judgeRefusal(
      refusedFacts({ alert: 42 }, ['CLIENT_CERT_UNTRUSTED', 'CLIENT_CERT_SELF_SIGNED', 'CLIENT_CERT_EXPIRED'], false),
    )!;
    assert.deepEqual([both.code, both.confidence, both.alternatives], ['CLIENT_CERT_SELF_SIGNED', 'likely', ['CLIENT_CERT_EXPIRED']]);
  });
});
