import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { casOf } from '../../../src/authority/cas/cas.js';
import { type CrlEvent, openClosedKeys, watchCrls } from '../../../src/authority/revocation/crl-watch.js';
import { numberOf, refreshDueCrl, standingCrl } from '../../../src/authority/revocation/crl.js';
import { DAY } from '../../../src/base/duration.js';
import { labelOf } from '../../../src/pki/name.js';
import { assertWhole, clockAt, failure, newWorkspace, staleLock, unix } from '../support.js';

describe('watching CRLs', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => (made = newWorkspace({ issuingCa: true })));
  afterEach(() => made.remove());

  const cas = () => casOf(made.workspace.paths);
  const numbers = () => cas().map((ca) => Number(numberOf(standingCrl(ca)!)));
  /** What is told of rounds so many days later, until `enough` of them are. */
  async function watched(days: number, enough: (events: readonly CrlEvent[]) => boolean): Promise<CrlEvent[]> {
    const stop = new AbortController();
    const events: CrlEvent[] = [];
    const tell = (event: CrlEvent): void => {
      events.push(event);
      if (enough(events)) stop.abort();
    };
    await watchCrls(made.workspace, { clock: clockAt(days * DAY), tell }, AbortSignal.any([stop.signal, AbortSignal.timeout(5_000)]));
    return events;
  }
  const said = (events: readonly CrlEvent[]) =>
    events.map((event) => {
      if (event.event === 'crls') return event.crls.map(({ ca, crl }) => `${labelOf(ca.certificate.subject)} ${numberOf(crl)}`).join();
      return event.event === 'failed' ? `${event.issuer} ${event.error.code}` : `${event.issuer} ends`;
    });
  const names = () => cas().map(({ certificate }) => labelOf(certificate.subject)) as [string, string];

  it('signs that of each CA when half of its time is over, and no other', async () => {
    const [root, issuing] = names();
    assert.deepEqual(said(await watched(4, ({ length }) => length === 2)), [`${root} 2`, `${issuing} 2`]);
    rmSync(cas()[1]!.paths.crl);
    assert.deepEqual(said(await watched(5, ({ length }) => length === 1)), [`${issuing} 3`]);
    assert.deepEqual(numbers(), [2, 3]);
  });

  it('signs none that somebody else has signed meanwhile', async () => {
    const sign = () => refreshDueCrl(made.workspace, cas()[0], clockAt(4 * DAY));
    const signed = await Promise.all([sign(), sign()]);
    assert.equal(signed.filter((each) => each !== undefined).length, 1);
    assert.deepEqual(numbers(), [2, 1]);
  });

  it('takes the lock of a dead process over', async () => {
    writeFileSync(made.workspace.paths.lock, staleLock());
    assert.equal((await watched(4, ({ length }) => length === 2)).length, 2);
  });

  unix('tells what is wrong with one CA, and signs for the other', async () => {
    chmodSync(cas()[0].paths.key, 0o644);
    const [root, issuing] = names();
    assert.deepEqual(said(await watched(4, ({ length }) => length === 2)), [`${root} FILE_MODE_TOO_OPEN`, `${issuing} 2`]);
    assert.deepEqual(numbers(), [1, 2]);
  });

  it('warns of a CA whose key is away, when half of its time is over and not before', async () => {
    const [root, issuing] = names();
    rmSync(cas()[0].paths.key);
    rmSync(cas()[1]!.paths.crl);
    assert.deepEqual(said(await watched(1, ({ length }) => length === 1)), [`${issuing} 2`]);
    assert.deepEqual(said(await watched(5, ({ length }) => length === 2)), [`${issuing} 3`, `${root} ends`]);
  });

  it('warns once, however often it looks', async () => {
    const [root, issuing] = names();
    rmSync(cas()[0].paths.key);
    const stop = new AbortController();
    const events: CrlEvent[] = [];
    const tell = (event: CrlEvent): void => {
      events.push(event);
      if (events.length === 4) stop.abort();
    };
    const start = performance.now();
    const clock = () => clockAt(5 * DAY + performance.now() - start)();
    await watchCrls(made.workspace, { clock, validity: 2_000, tell }, AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]));
    assert.deepEqual(said(events), [`${issuing} 2`, `${root} ends`, `${issuing} 3`, `${issuing} 4`]);
  });

  it('opens the keys that a passphrase opens once, before it begins', async () => {
    const closed = newWorkspace({ passphrase: 'open sesame' });
    const withPassphrase = (passphrase: string) => ({ ...closed.workspace, passphrase: async () => passphrase });
    await openClosedKeys(withPassphrase('open sesame'));
    await failure('PASSPHRASE_WRONG', () => openClosedKeys(withPassphrase('other')));
    await failure('KEY_ENCRYPTED', () => openClosedKeys(closed.workspace));
    await openClosedKeys(made.workspace);
    closed.remove();
  });

  it('leaves a workspace that is whole', async () => {
    made.remove();
    made = newWorkspace();
    await watched(4, ({ length }) => length === 1);
    assertWhole(made.workspace);
  });
});
