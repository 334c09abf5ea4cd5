import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { caId, casOf, issuerOf, rootOf } from '../../../src/authority/cas/cas.js';
import { type InitializeOptions, initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { appendLedger, readLedger } from '../../../src/authority/ledger/ledger.js';
import { OcspResponder } from '../../../src/authority/revocation/ocsp-responder.js';
import { OcspSource } from '../../../src/authority/revocation/ocsp-source.js';
import type { Workspace } from '../../../src/authority/workspace.js';
import type { LogFields } from '../../../src/base/log.js';
import { isError } from '../../../src/errors.js';
import { type Certificate, isSignedBy } from '../../../src/pki/certificate.js';
import type { Reason } from '../../../src/pki/crl.js';
import { readOcspResponse } from '../../../src/pki/ocsp.js';
import { ocspRequestFor } from '../../../src/pki/ocsp-request.js';
import { OID } from '../../../src/pki/oids.js';
import { ocspAnswer } from '../../../src/validate/ocsp.js';
import { AT, DAY, certify, shifted } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';

describe('what an OCSP responder knows of a workspace', () => {
  const directories: (() => void)[] = [];
  after(() => directories.forEach((remove) => remove()));

  const made = (options: Partial<InitializeOptions> = {}, passphrase?: string) => {
    const directory = temporaryDirectory();
    directories.push(directory.remove);
    const { workspace } = initializeWorkspace({
      directory: join(directory.path, '.mtls'),
      trustDomain: 'shop.test',
      clock: () => AT,
      ...options,
    });
    const opened: Workspace = passphrase === undefined ? workspace : { ...workspace, passphrase: async () => passphrase };
    const logged: { readonly event: string; readonly fields: LogFields }[] = [];
    const log = (event: string, fields: LogFields = {}): void => void logged.push({ event, fields });
    const source = new OcspSource(opened, { info: log, warn: log });
    const responder = new OcspResponder((now) => source.authoritiesAt(now));
    return { workspace: opened, source, responder, logged };
  };
  const issue = async (workspace: Workspace, name: string, at = AT): Promise<Certificate> =>
    (await issueCertificates(workspace, [{ name }], () => at))[0]!.certificate;
  const about = ({ serial, notAfter }: Certificate, issuer: Certificate) => ({
    serial,
    issuer: caId(issuer),
    notAfter: new Date(notAfter),
  });
  const revoke = (workspace: Workspace, leaf: Certificate, reason: Reason): void =>
    appendLedger(workspace.paths.ledger, [{ event: 'revoked', at: AT, reason, ...about(leaf, issuerOf(workspace.paths).certificate) }]);
  /** What is said of a certificate, as the validator believes it. */
  const said = async (responder: OcspResponder, leaf: Certificate, issuer: Certificate, at: Date): Promise<string | undefined> => {
    const { der, outcome } = await responder.answer(ocspRequestFor(leaf, issuer), at);
    if (outcome !== 'successful') return outcome;
    const response = readOcspResponse(der);
    const { status } = response.responses[0]!;
    if (status !== 'unknown') assert.equal(ocspAnswer(response, leaf, issuer, at)?.status, status);
    return status;
  };

  it('is what its ledger says, looked at once a second', async () => {
    const { workspace, responder } = made();
    const root = rootOf(workspace.paths).certificate;
    const api = await issue(workspace, 'api');
    assert.equal(await said(responder, api, root, AT), 'good');
    const web = await issue(workspace, 'web');
    revoke(workspace, api, 'keyCompromise');
    assert.deepEqual([await said(responder, web, root, shifted(999)), await said(responder, api, root, shifted(999))], ['unknown', 'good']);
    assert.deepEqual(
      [await said(responder, web, root, shifted(1000)), await said(responder, api, root, shifted(1000))],
      ['good', 'revoked'],
    );
    const never = certify({ name: 'never', by: { certificate: root, key: certify({}).key } }).certificate;
    assert.equal(await said(responder, never, root, shifted(1000)), 'unknown');
  });

  it('has a hold, and its end', async () => {
    const { workspace, responder } = made();
    const root = rootOf(workspace.paths).certificate;
    const api = await issue(workspace, 'api');
    revoke(workspace, api, 'certificateHold');
    assert.equal(await said(responder, api, root, AT), 'revoked');
    const { serial, issuer } = about(api, root);
    appendLedger(workspace.paths.ledger, [{ event: 'released', at: AT, serial, issuer }]);
    assert.equal(await said(responder, api, root, shifted(1000)), 'good');
  });

  it('is told by each CA of its own certificates', async () => {
    const { workspace, responder, source } = made({ issuingCa: true });
    const [root, issuing] = casOf(workspace.paths).map(({ certificate }) => certificate) as [Certificate, Certificate];
    const api = await issue(workspace, 'api');
    assert.equal((await source.authoritiesAt(AT)).length, 2);
    assert.equal(await said(responder, api, issuing, AT), 'good');
    assert.equal(await said(responder, issuing, root, AT), 'good');
    // asked of the wrong one, as if it had issued it
    assert.equal(await said(responder, { ...api, issuer: root.subject }, root, AT), 'unknown');
  });

  it('is not told for a CA whose key is away, until it comes back', async () => {
    const { workspace, responder, logged } = made({ issuingCa: true });
    const [root, issuing] = casOf(workspace.paths).map(({ certificate }) => certificate) as [Certificate, Certificate];
    const { key } = workspace.paths.root;
    renameSync(key, `${key}.away`);
    assert.equal(await said(responder, issuing, root, AT), 'unauthorized');
    const api = await issue(workspace, 'api');
    assert.equal(await said(responder, api, issuing, shifted(1000)), 'good');
    assert.deepEqual(
      logged.map(({ event, fields }) => [event, fields['code']]),
      [
        ['no new delegation', 'CA_KEY_AWAY'],
        ['delegated', undefined],
      ],
    );
    renameSync(`${key}.away`, key);
    assert.equal(await said(responder, issuing, root, shifted(59_000)), 'unauthorized');
    assert.equal(await said(responder, issuing, root, shifted(61_000)), 'good');
  });

  it('needs one key at least', async () => {
    const { workspace, source } = made();
    const { key } = workspace.paths.root;
    renameSync(key, `${key}.away`);
    await assert.rejects(source.assertOpen(AT), (error) => isError(error, 'CA_KEY_AWAY'));
    const ended = made({ validity: DAY });
    await assert.rejects(ended.source.assertOpen(shifted(2 * DAY)), (error) => isError(error, 'ISSUER_EXPIRED'));
  });

  it('is told with a key under a passphrase as well', async () => {
    const { workspace, responder } = made({ passphrase: 'correct horse' }, 'correct horse');
    const api = await issue(workspace, 'api');
    assert.equal(await said(responder, api, rootOf(workspace.paths).certificate, AT), 'good');
  });

  it('is signed by whom the CA delegated to for a week, and by the next one from half of it on', async () => {
    const { workspace, source } = made();
    const root = rootOf(workspace.paths).certificate;
    const delegate = async (at: Date): Promise<Certificate> => (await source.authoritiesAt(at))[0]!.responder.certificate;
    const first = await delegate(AT);
    assert.equal(isSignedBy(first, root), 'valid');
    assert.deepEqual(
      [first.extendedKeyUsage, first.keyUsage, first.basicConstraints?.ca],
      [[OID.ocspSigning], ['digitalSignature'], false],
    );
    assert.ok(first.extensions.some(({ oid }) => oid === OID.ocspNoCheck));
    assert.equal(first.notAfter, shifted(7 * DAY).getTime());
    const noted = readLedger(workspace.paths.ledger).at(-1)!;
    assert.deepEqual([noted.event, 'serial' in noted && noted.serial], ['delegated', first.serial]);
    assert.equal(await delegate(shifted(3.4 * DAY)), first);
    const second = await delegate(shifted(3.6 * DAY));
    assert.notEqual(second.serial, first.serial);
    assert.ok(!second.publicKey.der.equals(first.publicKey.der));
    // no longer than the CA itself
    const short = made({ validity: 2 * DAY });
    const [authority] = await short.source.authoritiesAt(AT);
    assert.equal(authority!.responder.certificate.notAfter, shifted(2 * DAY).getTime());
  });

  it('is used to its end when no other can be had', async () => {
    const { workspace, source, logged } = made();
    const [authority] = await source.authoritiesAt(AT);
    writeFileSync(workspace.paths.root.key, 'no key');
    const [later] = await source.authoritiesAt(shifted(6 * DAY));
    assert.equal(later!.responder, authority!.responder);
    assert.equal(logged.at(-1)!.fields['code'], 'KEY_UNREADABLE');
    await source.authoritiesAt(shifted(6.5 * DAY));
    assert.equal(logged.length, 2, 'told once');
    assert.deepEqual(await source.authoritiesAt(shifted(7 * DAY + 1000)), []);
  });

  it('cannot be told while the ledger is not one of ours', async () => {
    const { workspace, responder } = made();
    const root = rootOf(workspace.paths).certificate;
    const api = await issue(workspace, 'api');
    const { ledger } = workspace.paths;
    const before = readFileSync(ledger);
    assert.equal(await said(responder, api, root, AT), 'good');
    appendFileSync(ledger, '{"event":"pardoned"}\n');
    const { outcome, problem } = await responder.answer(ocspRequestFor(api, root), shifted(1000));
    assert.deepEqual([outcome, problem?.code], ['tryLater', 'LEDGER_CORRUPT']);
    assert.equal(await said(responder, api, root, shifted(1500)), 'tryLater');
    writeFileSync(ledger, before);
    assert.equal(await said(responder, api, root, shifted(2000)), 'good');
  });

  it('is the same list as long as nothing changed, and read once for all who ask at a time', async () => {
    const { workspace, source, logged } = made();
    const lists = await Promise.all([AT, AT, shifted(1000), shifted(2000)].map((at) => source.authoritiesAt(at)));
    assert.ok(lists.every((list) => list === lists[0]));
    assert.equal(logged.length, 1);
    await issue(workspace, 'api');
    assert.notEqual(await source.authoritiesAt(shifted(3000)), lists[0]);
  });
});
