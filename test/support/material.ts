import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/pki/certificate.js';
import type { SubjectNames } from '../../src/pki/encode.js';
import type { KeyUsage } from '../../src/pki/extensions.js';
import { type KeyType, generateKey, privateKeyToPem, publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import { type Signer, signCertificate, signCrl } from '../../src/pki/sign.js';

const HOUR = 3_600_000;

/** A directory of its own for one test, removed with `remove`. */
export function temporaryDirectory(): {
  readonly path: string;
  file: (name: string, data: string | Uint8Array, mode?: number) => string;
  remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), 'mtls-test-'));
  return {
    path,
    file: (name, data, mode = 0o600) => {
      writeFileSync(join(path, name), data, { mode });
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

interface CaOptions {
  readonly name?: string;
  readonly keyType?: KeyType;
  readonly pathLength?: number;
  readonly issuer?: Signer;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A CA for tests: self-signed, or signed by `issuer`; an hour old and a day long unless told otherwise. */
export function testCa(options: CaOptions = {}): Signer {
  const {
    name = 'test root',
    keyType = 'ecdsa-p256',
    issuer,
    notBefore = new Date(Date.now() - HOUR),
    notAfter = new Date(Date.now() + 24 * HOUR),
  } = options;
  const key = generateKey(keyType);
  const template = {
    subject: [[OID.commonName, name]] as const,
    publicKey: publicKeyInfo(key),
    notBefore,
    notAfter,
    ca: options.pathLength === undefined ? {} : { pathLength: options.pathLength },
    keyUsage: ['keyCertSign', 'cRLSign'] as const,
  };
  return { certificate: signCertificate(template, issuer ?? { key }), key };
}

interface LeafOptions {
  readonly name?: string;
  readonly keyType?: KeyType;
  readonly names?: Partial<SubjectNames>;
  readonly extendedKeyUsage?: readonly string[];
  readonly keyUsage?: readonly KeyUsage[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A service's certificate and key: both purposes, `localhost`, 127.0.0.1 and a SPIFFE ID of trust domain shop.test unless told otherwise. */
export function testLeaf(ca: Signer, options: LeafOptions = {}): { readonly certificate: Certificate; readonly key: KeyObject } {
  const {
    name = 'api',
    keyType = 'ecdsa-p256',
    names = {},
    notBefore = new Date(Date.now() - HOUR),
    notAfter = new Date(Date.now() + 24 * HOUR),
  } = options;
  const key = generateKey(keyType);
  const template = {
    subject: [[OID.commonName, name]] as const,
    publicKey: publicKeyInfo(key),
    notBefore,
    notAfter,
    keyUsage: options.keyUsage ?? (['digitalSignature'] as const),
    extendedKeyUsage: options.extendedKeyUsage ?? [OID.serverAuth, OID.clientAuth],
    names: { dns: [name, 'localhost'], ip: ['127.0.0.1'], uri: [`spiffe://shop.test/ns/default/sa/${name}`], ...names },
  };
  return { certificate: signCertificate(template, ca), key };
}

/** A CRL of `ca` in PEM, revoking `serials` (keyCompromise), an hour long unless told otherwise. */
export function testCrl(ca: Signer, serials: readonly string[] = [], nextUpdate = new Date(Date.now() + HOUR)): string {
  const revoked = serials.map((serial) => ({ serial, date: new Date(Date.now() - HOUR), reason: 'keyCompromise' as const }));
  return toPem('X509 CRL', signCrl({ number: 1n, thisUpdate: new Date(Date.now() - 2 * HOUR), nextUpdate, revoked }, ca).der);
}

/** PEM of certificates, leaf first. */
export const certificatePem = (...certificates: readonly { readonly der: Buffer }[]): string =>
  certificates.map(({ der }) => toPem('CERTIFICATE', der)).join('');

export const keyPem = (key: KeyObject): string => privateKeyToPem(key);
