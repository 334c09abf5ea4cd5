import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import type { Context } from 'mocha';
import { type Certificate, fingerprint } from '../../src/pki/certificate.js';

/** What `openssl` prints. Throws with what it says on stderr when it fails. */
export function openssl(args: readonly string[], input?: string | Buffer): string {
  return run('openssl', args, input);
}

function run(tool: string, args: readonly string[], input?: string | Buffer): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { input: input ?? '', encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** For a `before` hook: skips the suite, and says so in its title, where a tool is not installed. */
export function skipWithout(tool: 'openssl' | 'keytool'): (this: Context) => void {
  return function (this: Context): void {
    const { error, stdout } = spawnSync(tool, [tool === 'openssl' ? 'version' : '-help'], { encoding: 'utf8' });
    // LibreSSL and OpenSSL 1 go by the same name, and print and take other things
    const missing = error !== undefined ? tool : tool === 'openssl' && !/^OpenSSL [3-9]/.test(stdout) ? 'OpenSSL 3' : undefined;
    if (missing === undefined) return;
    this.test!.parent!.title += ` (skipped: ${missing} is not installed)`;
    this.skip();
  };
}

/** What node says of a certificate, against what we say. */
export function agreesWithNode(certificate: Certificate): void {
  const node = new X509Certificate(certificate.der);
  assert.equal(BigInt(`0x${node.serialNumber}`), BigInt(`0x${certificate.serial}`));
  assert.equal(node.fingerprint256.replaceAll(':', '').toLowerCase(), fingerprint(certificate));
  assert.deepEqual([Date.parse(node.validFrom), Date.parse(node.validTo)], [certificate.notBefore, certificate.notAfter]);
  assert.equal(node.ca, certificate.basicConstraints?.ca ?? false);
  // what node calls keyUsage is the extended key usage
  assert.deepEqual(node.keyUsage ?? [], certificate.extendedKeyUsage ?? []);
  const names = (node.subjectAltName ?? '').split(', ').filter((name) => name !== '');
  const ofKind = (kind: string): string[] =>
    names.filter((name) => name.startsWith(`${kind}:`)).map((name) => name.slice(kind.length + 1).replaceAll('"', ''));
  assert.deepEqual(ofKind('DNS'), certificate.subjectAltName.dns);
  assert.deepEqual(ofKind('URI'), certificate.subjectAltName.uri);
  assert.equal(ofKind('IP Address').length, certificate.subjectAltName.ip.length);
}
