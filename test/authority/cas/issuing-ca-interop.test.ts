import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crlPaths } from '../../../src/authority/revocation/crl.js';
import { revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { type ServicePaths, servicePaths } from '../../../src/authority/workspace.js';
import { openssl } from '../../pki/other-tools.js';
import { findProgram, needs } from '../../support/programs.js';
import { issueOne, newWorkspace } from '../support.js';

const now = (): Date => new Date();

describe('what an issuing CA below a root signs', function () {
  this.timeout(30_000);
  const made = newWorkspace({ issuingCa: true, clock: now });
  const { workspace } = made;
  const { bundle } = workspace.paths;
  const pathsOf = (name: string): ServicePaths => servicePaths(workspace, name);
  before(async () => {
    for (const name of ['api', 'web', 'thief']) await issueOne(workspace, name, now);
    await revokeCertificates(workspace, { what: 'thief' }, 'keyCompromise', now);
  });
  after(made.remove);

  describe('openssl verify', () => {
    before(needs('openssl'));
    const crls = (paths: readonly string[]): string[] => paths.flatMap((path) => ['-CRLfile', path]);
    const verify = (name: string, ...more: readonly string[]): string => {
      const { certificate } = pathsOf(name);
      return openssl(['verify', '-x509_strict', '-CAfile', bundle, '-untrusted', certificate, ...more, certificate]);
    };

    it('accepts it, with and without the CRLs', () => {
      assert.match(verify('api'), /: OK/);
      assert.match(verify('api', '-crl_check', ...crls(crlPaths(workspace.paths))), /: OK/);
      assert.match(verify('api', '-crl_check_all', ...crls(crlPaths(workspace.paths))), /: OK/);
    });

    it('wants the issuing CA from the service, and a CRL of each CA', () => {
      const { certificate } = pathsOf('api');
      assert.throws(() => openssl(['verify', '-CAfile', bundle, certificate]), /unable to get local issuer certificate/);
      for (const missing of crlPaths(workspace.paths)) {
        const others = crlPaths(workspace.paths).filter((path) => path !== missing);
        assert.throws(() => verify('api', '-crl_check_all', ...crls(others)), /unable to get certificate CRL/, missing);
      }
    });

    it('refuses what is revoked', () => {
      assert.throws(() => verify('thief', '-crl_check_all', ...crls(crlPaths(workspace.paths))), /certificate revoked/);
    });
  });

  describe('openssl s_server and s_client', () => {
    before(needs('openssl'));
    // OpenSSL takes one `-CRL`, and any number of them out of a file of CAs
    const anchors = join(made.parent, 'anchors.pem');
    before(() => writeFileSync(anchors, [bundle, ...crlPaths(workspace.paths)].map((path) => readFileSync(path, 'latin1')).join('')));
    const ownOf = (name: string): string[] => {
      const { certificate, key } = pathsOf(name);
      return ['-cert', certificate, '-key', key, '-cert_chain', workspace.paths.issuing.certificate];
    };
    const children: ChildProcess[] = [];
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    /** A server that wants a client of the same root, with every CRL asked; answers its port. */
    const serve = async (name: string): Promise<string> => {
      const args = ['s_server', '-accept', '127.0.0.1:0', ...ownOf(name), '-CAfile', anchors, '-crl_check_all'];
      const child = spawn(findProgram('openssl')!, [...args, '-Verify', '3', '-verify_return_error', '-www']);
      children.push(child);
      let heard = '';
      child.stdout.setEncoding('latin1').on('data', (text: string) => (heard += text));
      for (;;) {
        const [, port] = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(heard) ?? [];
        if (port !== undefined) return port;
        if (child.exitCode !== null) throw new Error(`openssl s_server ended with ${child.exitCode}`);
        await sleep(10);
      }
    };
    const ask = async (port: string, client: string | undefined): Promise<string> => {
      const checks = ['-CAfile', anchors, '-crl_check_all', '-verify_return_error', '-verify_hostname', 'api'];
      const own = client === undefined ? [] : ownOf(client);
      const child = spawn(findProgram('openssl')!, ['s_client', '-connect', `127.0.0.1:${port}`, ...checks, ...own, '-ign_eof']);
      children.push(child);
      const heard = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding('latin1').on('data', (text: string) => (heard[name] += text));
      // it may be gone before it has read this
      child.stdin.on('error', () => {}).end('GET / HTTP/1.0\r\n\r\n');
      await once(child, 'close');
      return heard.stdout + heard.stderr;
    };

    it('shake hands, both showing certificates', async () => {
      const heard = await ask(await serve('api'), 'web');
      assert.match(heard, /Verify return code: 0 \(ok\)/);
      assert.match(heard, /HTTP\/1\.0 200 ok[^]*Client certificate[^]*Subject: CN ?= ?web/);
    });

    it('do not where the client is revoked, or shows none', async () => {
      const port = await serve('api');
      for (const [client, alert] of [
        ['thief', /alert certificate revoked/],
        [undefined, /alert certificate required/],
      ] as const) {
        const heard = await ask(port, client);
        assert.match(heard, alert);
        assert.doesNotMatch(heard, /200 ok/);
      }
    });
  });

  describe('certtool', () => {
    before(needs('certtool'));
    const verify = (name: string, ...more: readonly string[]): { status: number | null; stdout: string } =>
      spawnSync(findProgram('certtool')!, ['--verify', '--load-ca-certificate', bundle, '--infile', pathsOf(name).certificate, ...more], {
        encoding: 'utf8',
      });

    it('verifies it with the chain that the service sends, for the names in it', () => {
      const { status, stdout } = verify('api', '--verify-hostname', 'api');
      assert.equal(status, 0, stdout);
      assert.match(stdout, /Chain verification output: Verified\. The certificate is trusted\./);
      assert.notEqual(verify('api', '--verify-hostname', 'other').status, 0);
    });

    it('refuses what the CRL of the issuing CA says is revoked, and nothing else', () => {
      const crl = ['--load-crl', workspace.paths.issuing.crl];
      assert.equal(verify('api', ...crl).status, 0);
      const { status, stdout } = verify('thief', ...crl);
      assert.notEqual(status, 0);
      assert.match(stdout, /certificate chain is revoked/);
    });
  });
});
