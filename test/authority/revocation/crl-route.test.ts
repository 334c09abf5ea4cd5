import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crlRoute } from '../../../src/authority/revocation/crl-route.js';
import { toPem } from '../../../src/pki/pem.js';
import { DAY, HOUR, authority, crlOf } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { type Served, run, served } from './support.js';

describe('CRLs over HTTP', () => {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'root.crl');
  const ca = authority({ name: 'ca' });
  const soon = (milliseconds: number): Date => new Date(Date.now() + milliseconds);
  const sign = (nextUpdate: Date | null = soon(DAY)) => crlOf({ by: ca, thisUpdate: soon(-HOUR), nextUpdate });
  /** As the authority does it: beside its place, then renamed. */
  const put = (crl = sign()): Buffer => {
    writeFileSync(`${path}.new`, toPem('X509 CRL', crl.der));
    renameSync(`${path}.new`, path);
    return crl.der;
  };
  let server: Served;
  before(async () => void (server = await served(crlRoute(() => [{ name: 'root.crl', path }]))));
  beforeEach(() => void put());
  after(() => server.stop());
  after(directory.remove);

  const get = (name = 'root.crl', init: RequestInit = {}): Promise<Response> => fetch(`${server.url}/${name}`, init);
  const bytes = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

  it('are there in DER, for as long as they are in force', async () => {
    const der = put();
    const response = await get();
    assert.deepEqual(await bytes(response), der);
    const { headers } = response;
    assert.equal(headers.get('content-type'), 'application/pkix-crl');
    const [, seconds] = /^max-age=(\d+), public, no-transform, must-revalidate$/.exec(headers.get('cache-control')!)!;
    assert.ok(Math.abs(Number(seconds) - DAY / 1000) <= 5, seconds);
    assert.ok(Math.abs(Date.parse(headers.get('expires')!) - Date.now() - DAY) < 5_000);
    assert.match(headers.get('etag')!, /^"[0-9a-f]{40}"$/);
  });

  it('are not sent again to who has them', async () => {
    const etag = (await get()).headers.get('etag')!;
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const same = await get('root.crl', { headers: { 'If-None-Match': tag } });
      assert.deepEqual([same.status, (await bytes(same)).length, same.headers.get('etag')], [304, 0, etag], tag);
      assert.ok(same.headers.has('cache-control'));
    }
    assert.equal((await get('root.crl', { headers: { 'If-None-Match': '"other"' } })).status, 200);
    put();
    const next = await get('root.crl', { headers: { 'If-None-Match': etag } });
    assert.equal(next.status, 200);
    assert.notEqual(next.headers.get('etag'), etag);
  });

  it('have no time of change until the second is over in which there may be another', async () => {
    const { headers } = await get();
    assert.equal(headers.get('last-modified'), null);
    // a time that some cache made up for what it got before
    const since = new Date(Math.ceil(Date.now() / 1000) * 1000).toUTCString();
    await sleep(1_000);
    const changed = (await get()).headers.get('last-modified')!;
    assert.ok(Math.abs(Date.parse(changed) - Date.now()) < 3_000);
    for (const time of [changed, since]) assert.equal((await get('root.crl', { headers: { 'If-Modified-Since': time } })).status, 304);
    const before = new Date(Date.parse(changed) - 1000).toUTCString();
    for (const time of [before, 'yesterday']) assert.equal((await get('root.crl', { headers: { 'If-Modified-Since': time } })).status, 200);
    const both = { 'If-None-Match': '"other"', 'If-Modified-Since': changed };
    assert.equal((await get('root.crl', { headers: both })).status, 200, 'the tag decides');
    put();
    assert.equal((await get('root.crl', { headers: { 'If-Modified-Since': changed } })).status, 200);
  });

  it('that are out of date, or say no end, are not to be kept', async () => {
    for (const end of [soon(-1000), null]) {
      put(sign(end));
      const { status, headers } = await get();
      assert.deepEqual([status, headers.get('cache-control')], [200, 'max-age=0, public, no-transform, must-revalidate']);
    }
  });

  it('answer to HEAD with everything but themselves', async () => {
    const der = put();
    const response = await get('root.crl', { method: 'HEAD' });
    assert.deepEqual([response.status, (await bytes(response)).length], [200, 0]);
    assert.equal(Number(response.headers.get('content-length')), der.length);
  });

  it('are nowhere else, and nothing is put in their place', async () => {
    for (const name of ['', 'other.crl', 'root.crl?x', 'root.crl/', '..%2froot.crl', '%72oot.crl'])
      assert.equal((await get(name)).status, 404, name);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await get('root.crl', { method });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD']);
      assert.equal(await response.text(), 'GET or HEAD\n');
    }
  });

  it('that cannot be read are said so, until they can', async () => {
    rmSync(path);
    const gone = await get();
    assert.deepEqual([gone.status, await gone.text()], [503, 'the CRL cannot be read now\n']);
    assert.equal(server.logged.at(-1)!.fields['code'], 'FILE_NOT_FOUND');
    writeFileSync(path, 'no CRL');
    assert.equal((await get()).status, 503);
    assert.equal(server.logged.at(-1)!.fields['code'], 'FILE_UNRECOGNIZED');
    put();
    assert.equal((await get()).status, 200);
    const { from, ...fields } = server.logged.at(-1)!.fields;
    assert.match(String(from), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(fields, { method: 'GET', status: 200, crl: 'root.crl' });
  });

  describe('curl', () => {
    before(needs('curl', 'openssl'));
    const curl = (...args: readonly string[]): Promise<string> => run('curl', '-sS', ...args);

    it('fetches one that openssl reads, and not twice', async () => {
      const [file, tag] = [join(directory.path, 'got.crl'), join(directory.path, 'etag')];
      const url = `${server.url}/root.crl`;
      const wanted = ['-w', '%{http_code} %{size_download} %{content_type}', '-o', file];
      await sleep(1_100);
      const der = put();
      await sleep(1_100);
      assert.equal(await curl(...wanted, '--etag-save', tag, '-R', url), `200 ${der.length} application/pkix-crl`);
      assert.match(await run('openssl', 'crl', '-inform', 'DER', '-in', file, '-noout', '-text'), /Issuer: CN ?= ?ca/);
      assert.match(await curl(...wanted, '--etag-compare', tag, url), /^304 0 /);
      assert.match(await curl(...wanted, '-z', file, url), /^304 0 /);
      put();
      assert.match(await curl(...wanted, '--etag-compare', tag, url), /^200 /);
    });
  });
});
