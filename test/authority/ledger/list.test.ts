import assert from 'node:assert/strict';
import { fingerprint } from '../../../src/pki/certificate.js';
import { type ListOptions, listCertificates } from '../../../src/authority/ledger/list.js';
import { DAY } from '../../../src/base/duration.js';
import { serialText } from '../../../src/pki/fields.js';
import { by, clock, clockAt, issueOne, newWorkspace, revoke } from '../support.js';

describe('list', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace();
  });
  afterEach(() => made.remove());
  const issue = async (name: string, days: number, profile: 'peer' | 'server' = 'peer') =>
    (await issueOne(made.workspace, { name, profile, namespace: 'shop', validity: days * DAY })).entry;
  const list = (days: number, options: ListOptions = {}) => listCertificates(made.workspace, clockAt(days * DAY), options);
  /** Name and status, without the root. */
  const services = (days: number, options: ListOptions = {}) =>
    list(days, options)
      .filter(({ profile }) => profile !== 'ca')
      .map(({ name, status }) => `${name} ${status}`);

  it('has the root of a new workspace', () => {
    const [root, ...others] = list(0);
    assert.deepEqual(others, []);
    assert.deepEqual(root, {
      name: root!.name,
      namespace: null,
      serial: serialText(made.root.serial),
      profile: 'ca',
      status: 'valid',
      notBefore: '2026-06-01T11:55:00Z',
      notAfter: '2036-05-29T12:00:00Z',
      daysLeft: 3_650,
      uri: null,
      issuer: made.root.subjectKeyId,
      sha256: fingerprint(made.root),
      issued: null,
      revoked: null,
    });
    assert.match(root.name, /^mtls root CA [0-9a-f]{8}$/);
    assert.deepEqual([list(3_650)[0]!.status, list(3_651)[0]!.status], ['valid', 'expired']);
  });

  it('has all about a service', async () => {
    const entry = await issue('api', 10, 'server');
    assert.deepEqual(list(1)[1], {
      name: 'api',
      namespace: 'shop',
      serial: serialText(entry.serial),
      profile: 'server',
      status: 'valid',
      notBefore: '2026-06-01T11:55:00Z',
      notAfter: '2026-06-11T12:00:00Z',
      daysLeft: 9,
      uri: 'spiffe://shop.test/ns/shop/sa/api',
      issuer: made.root.subjectKeyId,
      sha256: entry.sha256,
      issued: { at: '2026-06-01T12:00:00Z', by },
      revoked: null,
    });
  });

  it('has the newest of every service in the order of their names, all of them if asked, newest last', async () => {
    const serials: string[] = [];
    for (const name of ['web', 'api', 'web', 'db']) serials.push(serialText((await issue(name, 10)).serial));
    assert.deepEqual(services(0), ['api valid', 'db valid', 'web valid']);
    assert.deepEqual(services(0, { all: true }), ['api valid', 'db valid', 'web replaced', 'web valid']);
    assert.deepEqual(
      list(0, { all: true })
        .slice(3)
        .map(({ serial }) => serial),
      [serials[0], serials[2]],
    );
  });

  it('tells what is valid from what has ended, was replaced or revoked', async () => {
    await issue('api', 5);
    const second = await issue('api', 10);
    assert.deepEqual(services(6, { all: true }), ['api expired', 'api valid']);
    assert.deepEqual(services(10, { all: true }), ['api expired', 'api valid'], 'valid to its very end');
    assert.deepEqual(services(10.001, { all: true }), ['api expired', 'api expired']);
    assert.equal(list(10.001)[1]!.daysLeft, -1);
    await revoke(made.workspace, second.serial, 'superseded', clockAt(DAY));
    assert.deepEqual(services(2, { all: true }), ['api replaced', 'api revoked']);
    assert.deepEqual(services(11), ['api revoked'], 'revoked it stays');
    assert.deepEqual(list(2)[1]!.revoked, { at: '2026-06-02T12:00:00Z', reason: 'superseded' });
  });

  it('has what ends within a time, or has ended, to the millisecond', async () => {
    await issue('a', 10);
    await issue('b', 20);
    assert.deepEqual(services(0, { expiringWithin: 10 * DAY - 1 }), []);
    assert.deepEqual(services(0, { expiringWithin: 10 * DAY }), ['a valid']);
    assert.deepEqual(services(0, { expiringWithin: 20 * DAY }), ['a valid', 'b valid']);
    assert.deepEqual(services(15, { expiringWithin: DAY }), ['a expired']);
    assert.deepEqual(list(0, { expiringWithin: 30 * DAY }).length, 2, 'the root is not due');
    assert.equal(list(3_640, { expiringWithin: 30 * DAY })[0]!.profile, 'ca', 'nor forgotten');
  });

  it('what a newer certificate took the place of, or what is revoked, is never due', async () => {
    await issue('api', 5);
    await issue('api', 90);
    await issue('web', 5);
    await revoke(made.workspace, 'web', 'cessationOfOperation', clock);
    for (const days of [0, 6]) for (const all of [false, true]) assert.deepEqual(services(days, { all, expiringWithin: 30 * DAY }), []);
  });
});
