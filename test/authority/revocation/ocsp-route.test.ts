import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { AnsweringAuthority } from '../../../src/authority/revocation/ocsp-responder.js';
import { OcspResponder } from '../../../src/authority/revocation/ocsp-responder.js';
import { ocspRoute } from '../../../src/authority/revocation/ocsp-route.js';
import { explicit, extension, octetString, sequence, toDer } from '../../../src/pki/encode.js';
import { certId } from '../../../src/pki/cert-id.js';
import { serialText } from '../../../src/pki/fields.js';
import { readOcspResponse } from '../../../src/pki/ocsp.js';
import { ocspRequestFor } from '../../../src/pki/ocsp-request.js';
import { OID } from '../../../src/pki/oids.js';
import { authority } from '../../support/chains.js';
import { certificatePem, temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { type Served, livePki, run, served } from './support.js';

describe('OCSP over HTTP', () => {
  const pki = livePki();
  const { ca, good, revoked, never, statuses } = pki;
  let list: readonly AnsweringAuthority[] = [pki.answering];
  let server: Served;
  before(async () => void (server = await served(ocspRoute(new OcspResponder(async () => list)))));
  after(() => server.stop());

  const about = ({ certificate } = good): Buffer => ocspRequestFor(certificate, ca.certificate);
  const withNonce = toDer(
    sequence(
      sequence(
        sequence(sequence(certId(good.certificate, ca.certificate))),
        explicit(2, sequence(extension(OID.ocspNonce, false, octetString(Buffer.alloc(16, 1))))),
      ),
    ),
  );
  const type = { 'Content-Type': 'application/ocsp-request' };
  const post = (body: Uint8Array, headers: Record<string, string> = type): Promise<Response> =>
    fetch(`${server.url}/`, { method: 'POST', body: Buffer.from(body), headers });
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`${server.url}/${path}`, { headers });
  const bytes = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());
  const status = async (response: Response): Promise<string> => readOcspResponse(await bytes(response)).responses[0]!.status;

  it('is asked by POST, and by GET in base64 with and without percent signs', async () => {
    for (const [leaf, expected] of [
      [good, 'good'],
      [revoked, 'revoked'],
      [never, 'unknown'],
    ] as const) {
      const base64 = about(leaf).toString('base64');
      for (const response of [await post(about(leaf)), await get(base64), await get(encodeURIComponent(base64))]) {
        assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'application/ocsp-response']);
        assert.equal(await status(response), expected);
      }
    }
    const { from, ...fields } = server.logged.at(-1)!.fields;
    assert.match(String(from), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(fields, {
      ...{ method: 'GET', status: 200, outcome: 'successful', nonce: false },
      certificates: `${serialText(never.certificate.serial)} unknown`,
    });
  });

  it('may be kept by caches, as RFC 5019 has it', async () => {
    const response = await get(encodeURIComponent(about().toString('base64')));
    const { headers } = response;
    const { producedAt, responses } = readOcspResponse(await bytes(response));
    const until = responses[0]!.nextUpdate!;
    const [, seconds] = /^max-age=(\d+), public, no-transform, must-revalidate$/.exec(headers.get('cache-control')!)!;
    assert.ok(Math.abs(Number(seconds) - (until - Date.now()) / 1000) < 5);
    assert.deepEqual([Date.parse(headers.get('last-modified')!), Date.parse(headers.get('expires')!)], [producedAt, until]);
    const etag = headers.get('etag')!;
    const again = await get(encodeURIComponent(about().toString('base64')), { 'If-None-Match': etag });
    assert.deepEqual([again.status, (await bytes(again)).length, again.headers.get('etag')], [304, 0, etag]);
    assert.equal((await post(about(), { ...type, 'If-None-Match': etag })).status, 200, 'what is posted is answered');
    list = [...list];
    assert.equal((await get(encodeURIComponent(about().toString('base64')), { 'If-None-Match': etag })).status, 200);
  });

  it('with a nonce, of the unknown and without an answer is kept by nobody', async () => {
    for (const request of [withNonce, about(never), Buffer.from('no request')]) {
      const { headers } = await post(request);
      assert.equal(headers.get('cache-control'), 'no-store');
      for (const name of ['etag', 'last-modified', 'expires']) assert.equal(headers.get(name), null);
    }
  });

  it('says by an OCSP response what is wrong with a request, and by a status what is wrong with HTTP', async () => {
    const refusal = async (response: Response): Promise<unknown[]> => [response.status, (await bytes(response)).toString('hex')];
    assert.deepEqual(await refusal(await post(Buffer.from('no request'))), [200, '30030a0101']);
    assert.deepEqual(await refusal(await post(Buffer.alloc(0))), [200, '30030a0101']);
    assert.deepEqual(await refusal(await get('AAAA')), [200, '30030a0101']);
    const stranger = authority({ name: 'stranger' });
    assert.deepEqual(await refusal(await post(ocspRequestFor(good.certificate, stranger.certificate))), [200, '30030a0106']);

    const text = async (response: Response): Promise<unknown[]> => [
      response.status,
      response.headers.get('content-type'),
      await response.text(),
    ];
    const plain = 'text/plain; charset=utf-8';
    assert.deepEqual(await text(await post(about(), { 'Content-Type': 'application/json' })), [415, plain, 'application/ocsp-request\n']);
    assert.deepEqual(await text(await post(Buffer.alloc(4_097))), [413, plain, 'at most 4096 octets\n']);
    assert.deepEqual(await text(await get(Buffer.alloc(4_099).toString('base64'))), [414, plain, 'at most 4096 octets\n']);
    assert.equal((await post(about(), { 'Content-Type': 'Application/OCSP-Request; charset=binary' })).status, 200);
    assert.equal((await fetch(`${server.url}/ocsp`, { method: 'POST', body: about(), headers: type })).status, 404);
    for (const path of ['favicon.ico', '%', 'a%zz', 'x?y=z']) assert.equal((await get(path)).status, 404, path);
    const root = await get('');
    assert.deepEqual([root.status, root.headers.get('allow')], [405, 'POST']);
    const put = await fetch(`${server.url}/AAAA`, { method: 'PUT', body: 'x' });
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, HEAD']);
  });

  it('says what is so now', async () => {
    assert.equal(await status(await post(about(never))), 'unknown');
    statuses.set(never.certificate.serial, { status: 'revoked', at: new Date(), reason: 'certificateHold' });
    assert.equal(await status(await post(about(never))), 'revoked');
    statuses.delete(never.certificate.serial);
    list = [...list];
    assert.equal(await status(await post(about(never))), 'unknown');
  });

  describe('openssl ocsp', () => {
    before(needs('openssl'));
    const directory = temporaryDirectory();
    after(directory.remove);
    const issuer = directory.file('ca.pem', certificatePem(ca.certificate));
    const file = (name: 'good' | 'revoked' | 'never'): string => directory.file(`${name}.pem`, certificatePem(pki[name].certificate));
    const ask = (...args: readonly string[]): Promise<string> =>
      run('openssl', 'ocsp', '-url', server.url, '-issuer', issuer, '-CAfile', issuer, ...args);

    for (const nonce of ['-nonce', '-no_nonce'])
      it(`believes what is said of a good, a revoked and an unknown one, ${nonce}`, async () => {
        const one = await ask(nonce, '-cert', file('good'));
        assert.match(one, /Response verify OK\n.*good\.pem: good\n/s);
        assert.doesNotMatch(one, /WARNING/);
        const other = await ask(nonce, '-cert', file('revoked'));
        assert.match(other, /Response verify OK\n.*revoked\.pem: revoked\n.*Reason: keyCompromise\n/s);
        assert.match(await ask(nonce, '-cert', file('never')), /Response verify OK\n.*never\.pem: unknown\n/s);
      });

    it('of several at once, in several hashes', async () => {
      const text = await ask('-cert', file('good'), '-sha256', '-cert', file('revoked'), '-sha512', '-cert', file('never'));
      assert.match(text, /Response verify OK\n.*good\.pem: good\n.*revoked\.pem: revoked\n.*never\.pem: unknown\n/s);
    });

    it('hears that we are not authorized for the CA of others', async () => {
      const other = directory.file('other.pem', certificatePem(authority({ name: 'other' }).certificate));
      const text = await ask('-issuer', other, '-cert', file('good'));
      assert.match(text, /Responder Error: unauthorized \(6\)/);
    });

    it('the answer to a signed request', async () => {
      const key = directory.file('good.key', pki.good.key.export({ format: 'pem', type: 'pkcs8' }));
      const text = await ask('-signer', file('good'), '-signkey', key, '-cert', file('good'));
      assert.match(text, /Response verify OK\n.*good\.pem: good\n/s);
    });
  });

  describe('ocsptool', () => {
    before(needs('ocsptool'));
    it('believes it as well', async () => {
      const directory = temporaryDirectory();
      after(directory.remove);
      const issuer = directory.file('ca.pem', certificatePem(ca.certificate));
      for (const [leaf, said] of [
        [good, /Certificate Status: good/],
        [revoked, /Certificate Status: revoked[^]*Revocation time/],
      ] as const) {
        const response = join(directory.path, 'response.der');
        const der = await bytes(await post(about(leaf)));
        directory.file('response.der', der);
        const verified = await run('ocsptool', '--verify-response', '--load-trust', issuer, '--load-response', response);
        assert.match(verified, /Verifying OCSP Response: Success/);
        assert.match(await run('ocsptool', '--response-info', '--load-response', response), said);
      }
    });
  });

  describe('curl', () => {
    before(needs('curl'));
    it('gets an answer by GET, as a cache would', async () => {
      const url = `${server.url}/${encodeURIComponent(about().toString('base64'))}`;
      const head = await run('curl', '-sS', '-D', '-', '-o', '/dev/null', url);
      assert.match(head, /^HTTP\/1\.1 200 OK/);
      assert.match(head, /Content-Type: application\/ocsp-response\r\n/);
      assert.match(head, /Cache-Control: max-age=\d+, public, no-transform, must-revalidate\r\n/);
    });
  });
});
