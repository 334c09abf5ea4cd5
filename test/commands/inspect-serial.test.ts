import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { KnownCertificate, ListedCertificate } from '../../src/authority/index.js';
import { openssl } from '../pki/other-tools.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { mtls } from '../support/session.js';

interface Inspected {
  readonly certificates: readonly KnownCertificate[];
  readonly items: readonly { readonly source: string; readonly fields: { readonly sha256: string } }[];
}

describe('mtls inspect SERIAL', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const fileOf = (name: string): string => join(cwd, '.mtls', 'services', name, 'tls.crt');
  let listed: readonly ListedCertificate[];
  const of = (name: string, at = 0): ListedCertificate => listed.filter((one) => one.name === name)[at]!;

  async function run(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await mtls(words, { cwd });
    assert.deepEqual([code, stderr], [0, ''], words.join(' '));
    return stdout;
  }
  const inspect = async (what: string): Promise<Inspected> => JSON.parse(await run('inspect', what, '--json')) as Inspected;

  before(needs('openssl'));
  before(async () => {
    await run('init', '--yes', '--issuing-ca');
    await run('issue', 'api', 'web', 'old');
    await run('renew', 'api');
    await run('revoke', 'old', '--reason', 'keyCompromise');
    listed = (JSON.parse(await run('list', '--all', '--json')) as { certificates: ListedCertificate[] }).certificates;
  });
  after(() => directory.remove());

  it('says who issued it, when, by whom it was signed, what it is for, and where it is', async () => {
    const { certificates, items } = await inspect(of('web').serial);
    const { name, namespace, serial, profile, status, notBefore, notAfter, daysLeft, uri, issuer, sha256, issued, revoked } = of('web');
    const places = { certificate: fileOf('web'), key: join(cwd, '.mtls', 'services', 'web', 'tls.key') };
    const names = { dns: ['web', 'web.default.svc', 'web.default.svc.cluster.local', 'localhost'], ip: ['127.0.0.1', '::1'] };
    assert.deepEqual(certificates, [
      {
        ...{ name, namespace, profile, serial, sha256, status, revoked, uri, ...names, notBefore, notAfter, daysLeft, issued },
        issuer: { key: issuer, name: listed[1]!.name },
        ...{ renews: null, renewedBy: [], files: places },
      },
    ]);
    assert.equal(issued?.by, userInfo().username);
    assert.deepEqual(
      items.map(({ source, fields }) => [source, fields.sha256]),
      [[fileOf('web'), sha256]],
    );
    const text = await run('inspect', of('web').serial);
    for (const line of [/peer certificate of web\n {2}status +✓ valid\n/, new RegExp(`issued +${issued.at} by `), /certificate of web\n/])
      assert.match(text, line);
  });

  it('by serial number or fingerprint, as openssl prints them', async () => {
    const told = openssl(['x509', '-in', fileOf('web'), '-noout', '-serial', '-fingerprint', '-sha256']);
    const [serial, fingerprint] = [/serial=(\w+)/.exec(told)![1]!, /ingerprint=([\w:]+)/.exec(told)![1]!];
    for (const what of [serial, fingerprint, `0x${serial}`, serial.match(/../g)!.join(':'), `0x00${serial.toLowerCase()}`])
      assert.equal((await inspect(what)).certificates[0]?.sha256, of('web').sha256, what);
  });

  it('says what it renews, what renewed it, and that its files are not in place any more', async () => {
    const [before, after] = [of('api', 0).serial, of('api', 1).serial];
    const old = await inspect(before);
    const { status, renews, renewedBy, files } = old.certificates[0]!;
    assert.deepEqual([status, renews, renewedBy, files, old.items], ['replaced', null, [after], null, []]);
    const renewed = (await inspect(after)).certificates[0]!;
    assert.deepEqual([renewed.status, renewed.renews, renewed.renewedBy, renewed.files?.certificate], ['valid', before, [], fileOf('api')]);
    assert.match(await run('inspect', before), new RegExp(`replaced by a newer one[^]*renewed by ${after}\n[^]*not in place`));
  });

  it('says why and when it was revoked', async () => {
    const { certificates } = await inspect(of('old').serial);
    assert.equal(certificates[0]?.status, 'revoked');
    assert.deepEqual(certificates[0].revoked, { ...of('old').revoked, by: userInfo().username });
    assert.match(await run('inspect', of('old').serial), /status +✗ revoked 20\S+ by .* \(keyCompromise\)/);
  });

  it('finds the CAs', async () => {
    const [root, issuing] = listed as [ListedCertificate, ListedCertificate];
    const found = [...(await inspect(root.serial)).certificates, ...(await inspect(issuing.sha256)).certificates];
    assert.deepEqual(
      found.map(({ name, profile, issuer }) => [name, profile, issuer.name]),
      [
        [root.name, 'ca', root.name],
        [issuing.name, 'ca', root.name],
      ],
    );
    assert.equal(found[1]?.files?.certificate, join(cwd, '.mtls', 'authority', 'issuing.crt'));
  });

  it('says that there is none, beside what there is', async () => {
    const { code, stdout } = await mtls(['inspect', '0x0102', of('web').serial, '--json'], { cwd });
    const { errors, certificates } = JSON.parse(stdout) as Inspected & { errors: readonly { readonly code: string }[] };
    assert.deepEqual([code, errors.map((error) => error.code), certificates.length], [2, ['SERIAL_NOT_FOUND'], 1]);
    const alone = await mtls(['inspect', 'deadbeefdeadbeef'], { cwd });
    assert.deepEqual([alone.code, alone.stdout], [2, '']);
    assert.match(alone.stderr, /the ledger has no certificate deadbeefdeadbeef\n.*mtls list --all/);
    const outside = await mtls(['inspect', 'deadbeefdeadbeef', '--json'], { cwd: '/' });
    assert.match(outside.stdout, /WORKSPACE_NOT_FOUND/);
    const named = await mtls(['inspect', of('web').serial, '--workspace', cwd], { cwd: '/' });
    assert.equal(named.code, 0);
  });

  it('takes a file of that name for the file, and a short word for one that is missing', async () => {
    const { serial } = of('web');
    writeFileSync(join(cwd, serial), openssl(['x509', '-in', fileOf('api')]));
    const { certificates, items } = await inspect(`./${serial}`);
    assert.deepEqual([certificates, items[0]?.fields.sha256], [undefined, of('api', 1).sha256]);
    assert.deepEqual(await inspect(serial).then(({ items: [item] }) => item?.fields.sha256), of('api', 1).sha256);
    assert.match((await mtls(['inspect', 'cafe', '--json'], { cwd })).stdout, /FILE_NOT_FOUND/);
  });
});
