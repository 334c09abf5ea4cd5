import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../../../src/authority/attempts.js';
import { readLedger, revocationsIn } from '../../../src/authority/ledger/ledger.js';
import { type RenewEvent, type RoundOptions, RenewRounds } from '../../../src/authority/renew/rounds.js';
import { USUAL_BEFORE, dueAt, knownTo, parseBefore, renewService } from '../../../src/authority/renew/renew.js';
import { type Workspace, servicePaths } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { serialText } from '../../../src/pki/fields.js';
import { isKeyOf, readPrivateKey } from '../../../src/pki/key.js';
import { certificatesIn, readCertificates } from '../../../src/pki/material.js';
import { clock, clockAt, failure, issueOne, newWorkspace, text } from '../support.js';

const current = (workspace: Workspace, name: string) => readCertificates(servicePaths(workspace, name).certificate)[0]!;

/**
 * Another process that reads pairs as fast as it can: through the link resolved once; and by the two plain paths, again
 * where the link changed in between.
 */
const READER = `
  const { readFileSync, readlinkSync } = require('node:fs');
  const { X509Certificate, createPrivateKey } = require('node:crypto');
  const at = process.argv[1];
  const seen = new Set();
  let pairs = 0, torn = 0, over = false;
  process.stdin.resume().on('end', () => (over = true));
  const check = (crt, key) => { pairs++; if (!new X509Certificate(crt).checkPrivateKey(createPrivateKey(key))) torn++; };
  const gone = (act) => { try { act(); } catch (error) { if (error.code !== 'ENOENT') throw error; } };
  const link = () => readlinkSync(at + '/..data');
  const turn = () => {
    gone(() => { const version = link(); seen.add(version); check(readFileSync(at + '/' + version + '/tls.crt'), readFileSync(at + '/' + version + '/tls.key')); });
    gone(() => { const before = link(), crt = readFileSync(at + '/tls.crt'), key = readFileSync(at + '/tls.key'); if (link() === before) check(crt, key); });
    if (over) process.stdout.write(JSON.stringify({ pairs, versions: seen.size, torn })); else setImmediate(turn);
  };
  process.stdout.write('ready');
  turn();
`;

describe('renewing', () => {
  let made: ReturnType<typeof newWorkspace>;
  let workspace: Workspace;
  beforeEach(() => {
    made = newWorkspace();
    ({ workspace } = made);
  });
  afterEach(() => made.remove());

  /** One round so many days later, and what it told. */
  const rounds = (days: number, options: Partial<RoundOptions> = {}) => {
    const events: RenewEvent[] = [];
    const usual = { before: USUAL_BEFORE, hooks: {}, revokeOld: false, clock: clockAt(days * DAY) };
    const told = (event: RenewEvent): void => void (event.event === 'crls' || events.push(event));
    return { rounds: new RenewRounds(workspace, { ...usual, tell: told, ...options }), events };
  };

  it('is due at two thirds of the life, or as long before the end as was said', () => {
    const life = { notBefore: 0, notAfter: 90 * DAY };
    assert.equal(dueAt(life), 60 * DAY);
    assert.equal(dueAt(life, parseBefore('20d')), 70 * DAY);
    assert.equal(dueAt(life, parseBefore('50%')), 45 * DAY);
    assert.equal(dueAt(life, parseBefore('200d')), 9 * DAY, 'not again as soon as it is made');
    for (const wrong of ['0%', '100%', '-1d', '20', '1.5%', '']) assert.throws(() => parseBefore(wrong), { code: 'VALUE_INVALID' }, wrong);
  });

  it('renews what is due and nothing before', async () => {
    await issueOne(workspace, 'api');
    const { rounds: early, events: none } = rounds(45);
    await early.round();
    assert.deepEqual(none, []);
    const before = current(workspace, 'api');
    const { rounds: late, events } = rounds(60);
    await late.round();
    assert.deepEqual(
      events.map(({ event }) => event),
      ['renewed'],
    );
    const after = current(workspace, 'api');
    assert.notEqual(after.serial, before.serial);
    const entry = readLedger(workspace.paths.ledger).findLast(({ event }) => event === 'issued');
    assert.equal(entry?.event === 'issued' ? entry.renews : undefined, before.serial);
    assert.equal(revocationsIn(readLedger(workspace.paths.ledger)).size, 0, 'the one before stays valid');
  });

  it('takes names, namespace, profile, key type and life over as they are, and makes a new key', async () => {
    await issueOne(workspace, {
      ...{ name: 'gateway', namespace: 'billing', profile: 'server', dns: ['shop.test'], ip: ['10.1.2.3'] },
      ...{ withoutLocalhost: true, validity: 30 * DAY, keyType: 'ecdsa-p384' },
    });
    const before = current(workspace, 'gateway');
    const { entry } = await renewService(workspace, 'gateway', knownTo(workspace), { clock: clockAt(20 * DAY) });
    const after = current(workspace, 'gateway');
    assert.deepEqual(after.subjectAltName, before.subjectAltName);
    assert.equal(after.notAfter - after.notBefore, before.notAfter - before.notBefore);
    assert.deepEqual([entry.namespace, entry.profile, after.publicKey.curve], ['billing', 'server', before.publicKey.curve]);
    assert.notDeepEqual(after.publicKey.der, before.publicKey.der);
  });

  it('keeps the key where that is wished', async () => {
    await issueOne(workspace, 'api');
    const { key } = servicePaths(workspace, 'api');
    const [before, pem] = [current(workspace, 'api'), text(key)];
    await renewService(workspace, 'api', knownTo(workspace), { clock: clockAt(DAY), sameKey: true });
    assert.notEqual(current(workspace, 'api').serial, before.serial);
    assert.equal(text(key), pem);
  });

  it('names whom it cannot renew, and renews the others', async () => {
    await issueOne(workspace, 'api');
    await issueOne(workspace, 'partner');
    await issueOne(workspace, 'web');
    rmSync(servicePaths(workspace, 'partner').key);
    const { rounds: one, events } = rounds(60);
    await one.round();
    assert.deepEqual(
      events.map((each) => (each.event === 'failed' ? [each.service, each.error.code] : each.event)),
      ['renewed', ['partner', 'NOT_RENEWABLE'], 'renewed'],
    );
    assert.ok(one.isTroubled);
    await failure('SERVICE_NOT_FOUND', () => renewService(workspace, 'nobody', knownTo(workspace), { clock }));
  });

  it('revokes the one before as superseded where that is wished, and never renews by itself what was revoked', async () => {
    await issueOne(workspace, 'api');
    const old = current(workspace, 'api').serial;
    await rounds(60, { revokeOld: true }).rounds.round();
    assert.equal(revocationsIn(readLedger(workspace.paths.ledger)).get(old)?.reason, 'superseded');
    const { revokeCertificates } = await import('../../../src/authority/revocation/revoke.js');
    await revokeCertificates(workspace, { what: 'api' }, 'keyCompromise', clockAt(61 * DAY));
    const { rounds: later, events } = rounds(125);
    await later.round();
    assert.deepEqual(events, []);
  });

  it('runs the hook when the files are whole, again when it failed, and does not renew again for that', async () => {
    await issueOne(workspace, 'api');
    const seen = join(workspace.paths.directory, 'seen.pem');
    const exec = `test -e ${seen} || { cat "$MTLS_CERTIFICATE" > ${seen}; cat "$MTLS_KEY" >> ${seen}; exit 3; }`;
    let at = 60 * DAY;
    const { rounds: one, events } = rounds(60, { hooks: { exec }, clock: () => clockAt(at)() });
    const ofThese = () => events.map((each) => (each.event === 'failed' ? each.error.code : each.event));
    await one.round();
    assert.deepEqual(ofThese(), ['renewed', 'HOOK_FAILED']);
    const pem = readFileSync(seen);
    assert.ok(isKeyOf(readPrivateKey(pem, seen), certificatesIn(pem, seen)[0]!.publicKey));
    assert.equal(certificatesIn(pem, seen)[0]!.serial, current(workspace, 'api').serial);
    at += 500;
    await one.round();
    assert.equal(events.length, 2, 'not before a second is over');
    at += 501;
    await one.round();
    assert.deepEqual(ofThese(), ['renewed', 'HOOK_FAILED', 'hooked']);
    assert.ok(!one.isTroubled);
  });

  it('ends a hook that takes too long', async () => {
    await issueOne(workspace, 'api');
    const { rounds: one, events } = rounds(60, { hooks: { exec: 'sleep 60', execLimit: 200 } });
    await one.round();
    assert.match(events.map((each) => (each.event === 'failed' ? each.error.message : '')).join(''), /took longer than 0\.2 s/);
  });

  it('signals nobody by a pid file that holds anything but a number, or that of a process that is gone', async () => {
    await issueOne(workspace, 'api');
    const pidFile = join(workspace.paths.directory, 'pid');
    for (const [content, code] of [
      ['0', 'FILE_UNRECOGNIZED'],
      ['-1', 'FILE_UNRECOGNIZED'],
      ['1', 'FILE_UNRECOGNIZED'],
      ['12 34', 'FILE_UNRECOGNIZED'],
      ['2147483647\n', 'HOOK_FAILED'],
    ] as const) {
      writeFileSync(pidFile, content);
      const { rounds: one, events } = rounds(0, { hooks: { signal: { name: 'HUP', pidFile } } });
      await one.round(['api']);
      const last = events.at(-1)!;
      assert.equal(last.event === 'failed' ? last.error.code : last.event, code, content);
    }
  });

  it('waits twice as long after each failure, at most five minutes', () => {
    assert.deepEqual([1, 2, 3, 9, 10, 2000].map(backoff), [1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
  });

  it('watches: renews early by a share of what is left, and stops at the signal', async () => {
    await issueOne(workspace, 'api');
    const stop = new AbortController();
    const tell = (): void => stop.abort();
    // due at day 60 of 90: a tenth of the 30 days left before that, times a half
    const { rounds: one } = rounds(59, { tell: (event) => void (event.event === 'renewed' && tell()) });
    await one.watch(stop.signal, () => 0.5);
    assert.equal(current(workspace, 'api').notBefore, clockAt(59 * DAY - 300_000)().getTime());
  });

  it('writes metrics in the text format of Prometheus', async () => {
    await issueOne(workspace, 'api');
    const metrics = join(workspace.paths.directory, 'mtls.prom');
    await rounds(30, { metrics }).rounds.round();
    const lines = text(metrics).split('\n');
    assert.equal(lines.pop(), '', 'ends in a newline');
    const typed = new Set<string>();
    for (const line of lines) {
      if (line.startsWith('# HELP ')) continue;
      const type = /^# TYPE (\w+) (?:gauge|counter)$/.exec(line)?.[1];
      if (type !== undefined) assert.ok(!typed.has(type) && typed.add(type), line);
      else assert.ok(typed.has(/^([a-z_]+)(?:\{\w+="[^"\\]*"(?:,\w+="[^"\\]*")*\})? \d+(?:\.\d+)?$/.exec(line)?.[1] ?? ''), line);
    }
    const { serial, notAfter } = current(workspace, 'api');
    assert.ok(
      lines.includes(
        `mtls_certificate_expiry_seconds{service="api",namespace="default",serial="${serialText(serial)}"} ${notAfter / 1000}`,
      ),
    );
    assert.ok(lines.some((line) => line.startsWith('mtls_certificate_days_left{') && line.endsWith(' 60')));
    assert.equal(typed.size, 4);
  });

  it('shows no reader a certificate without its key, however often it is renewed', async () => {
    await issueOne(workspace, 'api');
    const { directory } = servicePaths(workspace, 'api');
    const reader = spawn(process.execPath, ['-e', READER, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    reader.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
    await once(reader.stdout, 'data');
    for (let i = 0; i < 60; i++) {
      await renewService(workspace, 'api', knownTo(workspace), { clock: clockAt(i) });
      await sleep(2);
    }
    reader.stdin.end();
    await once(reader, 'close');
    const { pairs, versions, torn } = JSON.parse(out.slice('ready'.length)) as Record<string, number>;
    assert.equal(torn, 0);
    assert.ok(pairs! > 60 && versions! > 5, `it looked ${pairs} times and saw ${versions} versions`);
  });
});
