import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { type AnsweringAuthority, OcspResponder } from '../../src/authority/revocation/ocsp-responder.js';
import { ocspRoute } from '../../src/authority/revocation/ocsp-route.js';
import { startRevocationServer } from '../../src/authority/revocation/server.js';
import { nullLog } from '../../src/base/log.js';
import { isError } from '../../src/errors.js';
import { extension } from '../../src/pki/encode.js';
import { readOcspResponse } from '../../src/pki/ocsp.js';
import type { CertificateStatus } from '../../src/pki/ocsp-write.js';
import { OID } from '../../src/pki/oids.js';
import { ocspAccess } from '../../src/pki/places-write.js';
import { probe } from '../../src/probe/index.js';
import { DAY, HOUR, authority, certify } from '../support/chains.js';
import { certificatePem, keyPem, temporaryDirectory } from '../support/material.js';
import { ocspDer } from '../support/ocsp.js';
import { findProgram, needs } from '../support/programs.js';
import { Closing, type Sidecar, sidecar, until } from './support.js';

const validity = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 30 * DAY) };
const ca = authority({ name: 'ca', ...validity });
const delegate = certify({ name: 'OCSP of ca', by: ca, purposes: [OID.ocspSigning], ...validity });
const leafAt = (...urls: readonly string[]) =>
  certify({
    ...{ name: 'api', by: ca, names: { dns: ['localhost'] }, purposes: [OID.serverAuth, OID.clientAuth], ...validity },
    more: urls.length === 0 ? [] : [extension(OID.authorityInfoAccess, false, ocspAccess(urls))],
  });
type Leaf = ReturnType<typeof leafAt>;

describe('what a sidecar staples to its certificate', function () {
  this.timeout(30_000);
  const directory = temporaryDirectory();
  const open = new Closing();
  /** The clocks of the sidecar and the responder go so far ahead. */
  let ahead = 0;
  let status: CertificateStatus = { status: 'good' };
  const clock = (): Date => new Date(Date.now() + ahead);
  beforeEach(() => {
    [ahead, status] = [0, { status: 'good' }];
  });
  afterEach(() => open.all());
  after(directory.remove);

  const responder = async (port = 0) => {
    const answering: AnsweringAuthority = { issuer: ca.certificate, responder: delegate, statusOf: () => status };
    const route = ocspRoute(new OcspResponder(async () => [answering]));
    return open.add(await startRevocationServer({ host: '127.0.0.1', port, route, clock, log: nullLog }));
  };
  /** A server that answers any request like this, and how often it was asked. */
  const answering = async (answer: RequestListener) => {
    let asked = 0;
    const server = createServer((request, response) => {
      asked++;
      answer(request, response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    open.later(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: () => asked };
  };
  const filesOf = (leaf: Leaf, name = 'tls') => ({
    certificate: directory.file(`${name}.crt`, certificatePem(leaf.certificate)),
    key: directory.file(`${name}.key`, keyPem(leaf.key)),
    ca: directory.file(`${name}-ca.crt`, certificatePem(ca.certificate)),
  });
  const start = async (
    leaf: Leaf,
    options: { readonly staple?: string; readonly scheme?: string; readonly as?: string } = {},
  ): Promise<Sidecar> => {
    const { scheme = 'mtls', as, ...rest } = options;
    const ends = { listen: `${scheme}://127.0.0.1:0`, upstream: `${scheme === 'mtls' ? 'http' : 'tcp'}://127.0.0.1:1` };
    return open.add(await sidecar({ ...ends, files: filesOf(leaf, as), allow: 'any', clock, ...rest }));
  };
  /** The staple that a client gets; null: none. */
  const stapleOf = ({ address }: Sidecar, version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<Buffer | null> =>
    new Promise((resolve, reject) => {
      const versions = { minVersion: version, maxVersion: version };
      const options = { host: '127.0.0.1', port: address.port, servername: 'localhost', ca: certificatePem(ca.certificate), ...versions };
      const socket = connect({ ...options, requestOCSP: true } as ConnectionOptions);
      socket.once('OCSPResponse', (response: Buffer | null) => {
        resolve(response?.length ? response : null);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const saidBy = async (running: Sidecar): Promise<string | undefined> => {
    const der = await stapleOf(running);
    return der === null ? undefined : readOcspResponse(der).responses[0]!.status;
  };
  const logged = (running: Sidecar, event: string) => running.logged.filter((line) => line.event === event).map(({ fields }) => fields);

  for (const scheme of ['mtls', 'mtls+tcp'])
    it(`is what the responder says that its certificate names, ${scheme}`, async () => {
      const leaf = leafAt('https://127.0.0.1:1/', (await responder()).url);
      const running = await start(leaf, { scheme });
      await until(() => logged(running, 'stapling').length > 0);
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const response = readOcspResponse((await stapleOf(running, version))!);
        assert.deepEqual([response.responses[0]!.certId.serial, response.responses[0]!.status], [leaf.certificate.serial, 'good']);
      }
      assert.equal(logged(running, 'stapling')[0]!['status'], 'good');
    });

  it('is nothing where nobody is named, or nobody can be asked with', async () => {
    const unnamed = await start(leafAt());
    const unasked = await start(leafAt('ftp://127.0.0.1/', 'http://[', 'https://127.0.0.1:1/'), { as: 'unasked' });
    await sleep(700);
    assert.deepEqual([await stapleOf(unnamed), await stapleOf(unasked)], [null, null]);
    assert.deepEqual([...unnamed.logged, ...unasked.logged], []);
    const stranger = authority({ name: 'stranger', ...validity });
    const other = certify({
      by: stranger,
      more: [extension(OID.authorityInfoAccess, false, ocspAccess(['http://127.0.0.1:1/']))],
      ...validity,
    });
    const orphan = await start(other, { as: 'orphan' });
    assert.match(String(logged(orphan, 'nothing new to staple')[0]!['reason']), /of its issuer is not among those/);
  });

  it('is told when its certificate is revoked, and so is the peer', async () => {
    status = { status: 'revoked', at: new Date(), reason: 'keyCompromise' };
    const running = await start(leafAt((await responder()).url));
    await until(() => logged(running, 'stapling').length > 0);
    assert.deepEqual([await saidBy(running), logged(running, 'stapling')[0]!['status']], ['revoked', 'revoked']);
  });

  it('is got anew when half of its time is over, kept to its end without, and no longer', async () => {
    const first = await responder();
    const running = await start(leafAt(first.url));
    await until(() => logged(running, 'stapling').length === 1);
    const before = await stapleOf(running);
    ahead = 1.9 * HOUR;
    await sleep(700);
    assert.deepEqual(await stapleOf(running), before);
    ahead = 2.1 * HOUR;
    await until(() => logged(running, 'stapling').length === 2);
    const after = await stapleOf(running);
    assert.notDeepEqual(after, before);
    await first.stop();
    ahead = 6 * HOUR;
    await until(() => logged(running, 'nothing new to staple').length === 1);
    assert.deepEqual(await stapleOf(running), after);
    ahead = 6.2 * HOUR;
    assert.equal(await stapleOf(running), null);
    await responder(Number(new URL(first.url).port));
    ahead = 6.3 * HOUR;
    await until(() => logged(running, 'stapling').length === 3);
    assert.equal(await saidBy(running), 'good');
    assert.match(String(logged(running, 'nothing new to staple')[0]!['reason']), /nothing listens there/);
  });

  it('is asked of the next one, where one does not answer', async () => {
    const running = await start(leafAt('http://127.0.0.1:1/', (await responder()).url));
    await until(() => logged(running, 'nothing new to staple').length === 1);
    ahead = 10_000;
    await until(() => logged(running, 'stapling').length === 1);
    assert.equal(await saidBy(running), 'good');
  });

  it('never holds up a handshake, however long the responder takes', async () => {
    const { url, asked } = await answering(() => {});
    const running = await start(leafAt(url));
    await until(() => asked() === 1);
    const started = performance.now();
    assert.equal(await stapleOf(running), null);
    assert.ok(performance.now() - started < 1_000);
    await until(() => logged(running, 'nothing new to staple').length === 1);
    assert.deepEqual(logged(running, 'nothing new to staple'), [{ reason: 'no answer within 10 s' }]);
  });

  const about = leafAt().certificate;
  const hostile: Readonly<Record<string, readonly [answer: (leaf: Leaf) => Buffer, reason: RegExp]>> = {
    'no OCSP response': [() => Buffer.from('<html>'), /not an OCSP response/],
    'no answer': [() => Buffer.from('30030a0106', 'hex'), /answered unauthorized/],
    'about another certificate': [
      () => ocspDer({ about, issuer: ca, nextUpdate: new Date(Date.now() + HOUR) }),
      /about another certificate/,
    ],
    'that is not signed by whom it names': [
      (leaf) => ocspDer({ about: leaf.certificate, issuer: ca, signedBy: delegate.key, ...current() }),
      /not signed by the key of ca/,
    ],
    'that is over': [(leaf) => ocspDer({ about: leaf.certificate, issuer: ca }), /the OCSP response ended/],
    'that knows nothing': [(leaf) => ocspDer({ about: leaf.certificate, issuer: ca, status: 'unknown', ...current() }), /does not know/],
    'without end': [() => Buffer.alloc(1_000_000), /more than 65536 octets/],
  };
  for (const [what, [answer, reason]] of Object.entries(hostile))
    it(`is not an answer ${what}`, async () => {
      const { url, asked } = await answering((_request, response) => response.end(answer(leaf)));
      const leaf = leafAt(url);
      const running = await start(leaf);
      await until(() => logged(running, 'nothing new to staple').length === 1);
      assert.match(String(logged(running, 'nothing new to staple')[0]!['reason']), reason);
      assert.equal(await stapleOf(running), null);
      await sleep(700);
      assert.equal(asked(), 1, 'it is not asked again at once');
    });

  it('is not what comes with another status, or from elsewhere', async () => {
    const { url, asked } = await answering((_request, response) => response.writeHead(302, { Location: '/other' }).end('x'));
    const running = await start(leafAt(url));
    await until(() => logged(running, 'nothing new to staple').length === 1);
    assert.deepEqual([logged(running, 'nothing new to staple'), asked()], [[{ reason: 'it answered HTTP 302' }], 1]);
  });

  it('is not what was said of the certificate before', async () => {
    const { url } = await responder();
    const running = await start(leafAt(url));
    await until(() => logged(running, 'stapling').length === 1);
    const next = leafAt(url);
    filesOf(next);
    assert.equal(running.reload(), true);
    assert.equal(await stapleOf(running), null);
    await until(() => logged(running, 'stapling').length === 2);
    assert.equal(readOcspResponse((await stapleOf(running))!).responses[0]!.certId.serial, next.certificate.serial);
    assert.equal(running.reload(), true);
    assert.notEqual(await stapleOf(running), null, 'read again, and still the same certificate');
  });

  describe('from a file', () => {
    const leaf = leafAt('http://127.0.0.1:1/');
    const responseTo = (more: object = {}): Buffer => ocspDer({ about: leaf.certificate, issuer: ca, ...current(), ...more });

    it('is read again when that changes', async () => {
      const staple = directory.file('staple.der', responseTo());
      const running = await start(leaf, { staple });
      assert.equal(await saidBy(running), 'good');
      writeFileSync(staple, responseTo({ status: { revoked: new Date() } }));
      await until(() => logged(running, 'stapling').length === 2);
      assert.equal(await saidBy(running), 'revoked');
      writeFileSync(staple, 'torn');
      await until(() => logged(running, 'nothing new to staple').length === 1);
      assert.equal(await saidBy(running), 'revoked', 'until it ends');
      ahead = 2 * HOUR;
      assert.equal(await stapleOf(running), null);
    });

    it('that is not there, or is none, is said before anybody is let in', async () => {
      await assert.rejects(start(leaf, { staple: `${directory.path}/none` }), (error) => isError(error, 'FILE_NOT_FOUND'));
      const torn = directory.file('torn.der', 'torn');
      await assert.rejects(
        start(leaf, { staple: torn }),
        (error) => isError(error, 'OCSP_MALFORMED') && error.message.endsWith(`in ${torn}`),
      );
    });

    it('that is about another certificate is told, and not stapled', async () => {
      const running = await start(leaf, { staple: directory.file('other.der', ocspDer({ about, issuer: ca, ...current() })) });
      assert.equal(await stapleOf(running), null);
      assert.deepEqual(logged(running, 'nothing new to staple'), [{ reason: 'the OCSP response is about another certificate' }]);
    });
  });

  describe('as others see it', () => {
    const stapling = async (): Promise<Sidecar> => {
      const running = await start(leafAt((await responder()).url));
      await until(() => logged(running, 'stapling').length > 0);
      return running;
    };

    it('is believed by our probe', async () => {
      const { address } = await stapling();
      const options = { host: '127.0.0.1', servername: 'localhost', retries: false, timeoutMs: 3_000, clock, labels: {} };
      const report = await probe({ ...options, port: address.port, authorities: [ca.certificate] });
      assert.equal(report.handshake.ocspStapled, true);
      assert.equal(report.stages.find(({ name }) => name === 'server-certificate')!.status, 'ok');
    });

    describe('openssl', () => {
      before(needs('openssl'));
      for (const version of ['-tls1_2', '-tls1_3'])
        it(`is heard with ${version}`, async () => {
          const { address } = await stapling();
          const root = directory.file('root.pem', certificatePem(ca.certificate));
          const child = spawn(
            findProgram('openssl')!,
            ['s_client', '-connect', `127.0.0.1:${address.port}`, '-servername', 'localhost', '-CAfile', root, '-status', version],
            { stdio: ['ignore', 'pipe', 'ignore'] },
          );
          let text = '';
          child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
          await once(child, 'close');
          assert.match(text, /OCSP Response Status: successful[^]*Cert Status: good/);
        });
    });
  });
});

/** In force at this time. */
const current = () => ({ thisUpdate: new Date(Date.now() - HOUR), nextUpdate: new Date(Date.now() + HOUR) });
