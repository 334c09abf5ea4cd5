import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey, privateKeyToPem } from '../../src/pki/key.js';
import { readCertificates } from '../../src/pki/material.js';
import { runningInWorkspace } from '../support/running.js';
import { mtls } from '../support/session.js';

describe('a day of the authority', function () {
  this.timeout(60_000);
  const { directory, cwd } = runningInWorkspace();
  const json = async (...args: readonly string[]) => {
    const { code, stdout } = await mtls([...args, '--json'], { cwd });
    return { code, said: JSON.parse(stdout) as Readonly<Record<string, unknown>> };
  };
  const isIssued = (name: string): boolean => existsSync(join(cwd, '.mtls', 'services', name, 'tls.crt'));

  describe('issue --from', () => {
    const list = directory.file('services.csv', 'name,profile,dns\none,peer,one.test\nTwo!,peer,\nthree,nope,\nfour,server,\n');

    it('issues what is right, and names the line of what is not', async () => {
      const { code, said } = await json('issue', '--from', list);
      assert.equal(code, 1);
      assert.deepEqual(
        (said['issued'] as readonly { name: string; profile: string }[]).map(({ name, profile }) => [name, profile]),
        [
          ['one', 'peer'],
          ['four', 'server'],
        ],
      );
      const problems = said['problems'] as readonly { line: number; code: string }[];
      assert.deepEqual(
        problems.map(({ line }) => line),
        [3, 4],
      );
      assert.equal(problems[1]?.code, 'PROFILE_NOT_FOUND');
    });

    it('issues nothing when all or nothing is wanted', async () => {
      const other = directory.file('other.jsonl', '{"name":"five"}\n{"name":"six","color":"red"}\n');
      const { code, said } = await json('issue', '--from', other, '--all-or-nothing');
      assert.deepEqual([code, said['issued'], isIssued('five')], [1, [], false]);
      assert.equal((await json('issue', '--from', other)).code, 1);
      assert.deepEqual([isIssued('five'), isIssued('six')], [true, false]);
    });
  });

  it('a key that stays where it is is certified, and not copied', async () => {
    const key = directory.file('own.key', privateKeyToPem(generateKey('ecdsa-p384')), 0o600);
    assert.equal((await json('issue', 'own', '--key', key)).code, 0);
    const [certificate] = readCertificates(join(cwd, '.mtls', 'services', 'own', 'tls.crt'));
    assert.deepEqual([certificate?.publicKey.curve, existsSync(join(cwd, '.mtls', 'services', 'own', 'tls.key'))], ['P-384', false]);
  });

  it('policy and profiles of the workspace hold for whatever is issued', async () => {
    writeFileSync(join(cwd, '.mtls', 'policy.yaml'), 'maximumLife: 30d\nnames: { dns: ["*.shop.test"] }\n');
    try {
      const { said } = await json('issue', 'late', '--valid', '31d', '--dns', 'www.evil.test');
      assert.match(JSON.stringify(said), /POLICY_REFUSES.*late.*www\.evil\.test/);
      assert.equal(isIssued('late'), false);
      const { code, said: fine } = await json('issue', 'late', '--dns', 'www.shop.test');
      assert.equal(code, 0);
      const [{ notBefore, notAfter }] = fine['issued'] as [{ notBefore: string; notAfter: string }];
      assert.ok(Date.parse(notAfter) - Date.parse(notBefore) < 31 * 86_400_000, 'as long as policy has it at most');
    } finally {
      writeFileSync(join(cwd, '.mtls', 'policy.yaml'), '{}\n');
    }
  });

  it('a handshake is made with what was issued, on wish', async () => {
    const { said } = await json('issue', 'smoked', '--smoke');
    assert.match(JSON.stringify(said), /"handshake":\{"version":"TLSv1\.3"/);
    assert.match(JSON.stringify((await json('issue', 'smoked')).said), /"handshake":null/);
  });

  it('list filters and sorts, and prints CSV', async () => {
    const names = async (...flags: readonly string[]) =>
      ((await json('list', ...flags)).said['certificates'] as readonly { name: string }[]).map(({ name }) => name);
    await json('issue', 'listed', '--for', 'server');
    await json('issue', 'listen', '--for', 'server');
    assert.deepEqual(await names('--name', 'list*'), ['listed', 'listen']);
    assert.deepEqual(await names('--name', '*.'), [], 'a dot is a dot');
    assert.deepEqual(await names('--profile', 'server', '--name', 'l*d'), ['listed']);
    assert.equal((await names('--profile', 'ca')).length, 1);
    assert.deepEqual(await names('--status', 'replaced'), ['smoked']);
    assert.equal((await names('--sort', 'issued'))[1], 'listen', 'behind the CA');
    await json('issue', 'brief', '--valid', '2d');
    assert.equal((await names('--sort', 'expiry'))[1], 'brief');
    const { stdout } = await mtls(['list', '--csv', '--name', 'api'], { cwd });
    assert.match(stdout, /^name,namespace,profile,[^\r\n]*\r\napi,default,peer,valid,[^\r\n]*\r\n$/);
  });

  it('a serial number is looked up in the CRLs', async () => {
    const serialOf = async (name: string) => ((await json('list', '--name', name)).said['certificates'] as [{ serial: string }])[0].serial;
    const serial = await serialOf('web');
    assert.equal((await json('crl', 'check', serial)).code, 0);
    assert.equal((await mtls(['revoke', 'web', '--reason', 'superseded'], { cwd })).code, 0);
    for (const spelling of [serial, serial.toUpperCase().match(/../g)!.join(':'), `0x00${serial}`]) {
      const { code, said } = await json('crl', 'check', spelling);
      assert.equal(code, 1, spelling);
      assert.match(JSON.stringify(said), /"revoked":true.*"reason":"superseded"/);
    }
    assert.equal((await json('crl', 'check', await serialOf('api'))).code, 0);
    assert.equal((await json('crl', 'check', 'xyz')).code, 2);
  });

  it('audit verify proves the ledger, and names the first line that is bad', async () => {
    const path = join(cwd, '.mtls', 'authority', 'ledger.jsonl');
    const whole = readFileSync(path, 'utf8');
    const { code, said } = await json('audit', 'verify');
    assert.deepEqual([code, said['valid']], [0, true]);
    try {
      const lines = whole.split(/(?<=\n)/);
      writeFileSync(path, lines.toSpliced(3, 1).join(''));
      const cut = await json('audit', 'verify');
      assert.equal(cut.code, 1);
      assert.match(JSON.stringify(cut.said), /"bad":\{"line":4,/);
      writeFileSync(path, lines.slice(0, -1).join(''));
      // what was issued is in use, and bears witness
      assert.equal((await json('audit', 'verify')).code, 1);
      assert.equal((await json('audit', 'verify', '--head', String(said['head']))).code, 1);
    } finally {
      writeFileSync(path, whole);
    }
  });
});
