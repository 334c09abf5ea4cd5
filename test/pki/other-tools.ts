import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
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
