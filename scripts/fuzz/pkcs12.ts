import { createCipheriv, createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DerReader } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bmpString,
  embed,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  toDer,
} from '../../src/pki/encode.js';
import { PKCS12_OID } from '../../src/pki/oids.js';
import { SHA256_DIGEST, bmpPassphrase, pkcs12Key } from '../../src/pki/passphrase.js';
import { toPem } from '../../src/pki/pem.js';
import { writePkcs12 } from '../../src/pki/pkcs12-write.js';
import { bagOf, certificateBag, dataInfo, keyBag, pfxOf, plainPfx } from '../../test/pki/pfx.js';
import { type Mutation, mutateDer } from './mutate-der.js';
import { leaf, middle, root } from './seeds.js';

export const PASSPHRASE = 'pass';

/** Bends the file; or what its MAC is over, and writes the MAC again; or what is encrypted in it, and encrypts that again. */
export const mutatePkcs12: Mutation = (bytes, random, other) => {
  if (random.oneIn(3)) return mutateDer(bytes, random, other);
  const safe = contentsOf(bytes);
  if (safe === undefined) return mutateDer(bytes, random, other);
  const otherSafe = (): Buffer => contentsOf(other()) ?? safe;
  if (random.oneIn(3)) {
    const bags = firstBags(safe);
    if (bags !== undefined) return sealed(toDer(sequence(encryptedInfo(mutateDer(bags, random, otherSafe)), dataInfo(bags))));
  }
  return sealed(mutateDer(safe, random, otherSafe));
};

/** What stands in the authSafe of a file, as far as it is one. */
function contentsOf(pfx: Buffer): Buffer | undefined {
  try {
    const reader = DerReader.within(pfx);
    reader.integer();
    const info = reader.enter();
    info.oid();
    return info.enter(0xa0).octetString();
  } catch {
    return undefined;
  }
}

/** The bags that lie open in the first part of data. */
function firstBags(safe: Buffer): Buffer | undefined {
  try {
    const info = DerReader.within(safe).enter();
    return info.oid() === PKCS12_OID.data ? info.enter(0xa0).octetString() : undefined;
  } catch {
    return undefined;
  }
}

/** A PFX around `safe` with a MAC that is right, of one iteration. */
function sealed(safe: Buffer): Buffer {
  const salt = Buffer.alloc(8, 5);
  const { oid: digestOid, digest } = SHA256_DIGEST;
  const key = pkcs12Key(digest, bmpPassphrase(PASSPHRASE), { purpose: 3, salt, iterations: 1, length: digest.length });
  const mac = createHmac(digest.name, key).update(safe).digest();
  return toDer(sequence(integer(3), dataInfo(safe), sequence(sequence(algorithm(digestOid, true), octetString(mac)), octetString(salt))));
}

function encryptedInfo(bags: Buffer): Node {
  const { scheme, data } = encrypt(bags);
  return sequence(
    oid(PKCS12_OID.encryptedData),
    explicit(0, sequence(integer(0), sequence(oid(PKCS12_OID.data), scheme, implicit(0, data)))),
  );
}

function encrypt(plain: Buffer): { readonly scheme: Node; readonly data: Buffer } {
  const [salt, iv] = [Buffer.alloc(8, 6), Buffer.alloc(16, 7)];
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(PASSPHRASE, salt, 1, 32, 'sha256'), iv);
  const derivation = sequence(octetString(salt), integer(1), algorithm(PKCS12_OID.hmacWithSha256, true));
  const parameters = sequence(sequence(oid(PKCS12_OID.pbkdf2), derivation), sequence(oid(PKCS12_OID.aes256Cbc), octetString(iv)));
  return { scheme: sequence(oid(PKCS12_OID.pbes2), parameters), data: Buffer.concat([cipher.update(plain), cipher.final()]) };
}

/** Files of ours, of `openssl pkcs12` where there is one, and open ones with every kind of bag. */
export function pkcs12Seeds(): Buffer[] {
  const shrouded = encrypt(leaf.key.export({ format: 'der', type: 'pkcs8' }));
  const attributes = set(sequence(oid(PKCS12_OID.friendlyName), set(bmpString('api'))));
  const certificate = certificateBag(leaf.certificate);
  const key = bagOf(PKCS12_OID.shroudedKeyBag, sequence(shrouded.scheme, octetString(shrouded.data)), attributes);
  const within = bagOf(PKCS12_OID.safeContentsBag, sequence(certificate, bagOf(PKCS12_OID.safeContentsBag, sequence(keyBag(leaf.key)))));
  const unknown = bagOf('1.2.840.113549.1.12.10.1.5', sequence(oid('1.2.3'), explicit(0, octetString(Buffer.alloc(3)))));
  const open = [certificate, key, within, unknown, keyBag(leaf.key)];
  const both = toDer(sequence(dataInfo(toDer(sequence(...open))), encryptedInfo(toDer(sequence(...open)))));
  const certificates = [leaf.certificate, middle.certificate, root.certificate];
  return [
    writePkcs12({ certificates, key: leaf.key, passphrase: PASSPHRASE, friendlyName: 'api', iterations: 1 }),
    writePkcs12({ certificates: [leaf.certificate], key: leaf.key, passphrase: '', iterations: 2 }),
    plainPfx(...open),
    pfxOf(encryptedInfo(toDer(sequence(key)))),
    sealed(both),
    sealed(toDer(sequence())),
    sealed(toDer(sequence(dataInfo(toDer(sequence(embed(toDer(certificate)))))))),
    ...opensslFiles(),
  ];
}

const OPENSSL_FORMS: readonly (readonly string[])[] = [
  ['-iter', '2'],
  ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1', '-iter', '2'],
  ['-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512', '-noiter', '-nomaciter'],
  ['-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac'],
];

function opensslFiles(): Buffer[] {
  const directory = mkdtempSync(join(tmpdir(), 'mtls-fuzz-'));
  try {
    const input = join(directory, 'in.pem');
    const output = join(directory, 'out.p12');
    writeFileSync(input, `${leaf.key.export({ format: 'pem', type: 'pkcs8' }) as string}${toPem('CERTIFICATE', leaf.certificate.der)}`, {
      mode: 0o600,
    });
    return OPENSSL_FORMS.flatMap((form) => {
      const { status } = spawnSync('openssl', [
        'pkcs12',
        '-export',
        '-in',
        input,
        '-passout',
        `pass:${PASSPHRASE}`,
        '-out',
        output,
        ...form,
      ]);
      return status === 0 ? [readFileSync(output)] : [];
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
