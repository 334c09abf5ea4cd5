import { createDecipheriv, createHmac, getCiphers, hash, pbkdf2Sync, scryptSync } from 'node:crypto';
import type { MtlsError } from '../errors.js';
import { type AlgorithmIdentifier, readAlgorithm } from './algorithms.js';
import { DerReader, TAG } from './der.js';
import { PKCS12_OID } from './oids.js';

/** The digests that PKCS#12 and PBKDF2 are made with, by the object identifiers of the digest and of its HMAC. */
const DIGESTS: Readonly<Record<string, { readonly name: string; readonly length: number; readonly block: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', length: 20, block: 64 },
  '2.16.840.1.101.3.4.2.4': { name: 'sha224', length: 28, block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', length: 32, block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', length: 48, block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', length: 64, block: 128 },
};
type Digest = (typeof DIGESTS)[string];

const HMACS: Readonly<Record<string, Digest>> = {
  '1.2.840.113549.2.7': DIGESTS['1.3.14.3.2.26']!,
  '1.2.840.113549.2.8': DIGESTS['2.16.840.1.101.3.4.2.4']!,
  '1.2.840.113549.2.9': DIGESTS['2.16.840.1.101.3.4.2.1']!,
  '1.2.840.113549.2.10': DIGESTS['2.16.840.1.101.3.4.2.2']!,
  '1.2.840.113549.2.11': DIGESTS['2.16.840.1.101.3.4.2.3']!,
};

interface CipherEntry {
  readonly name: string;
  readonly key: number;
  readonly iv: number;
}

/** The encryption schemes of PBES2 (RFC 8018 §B.2). */
const CIPHERS: Readonly<Record<string, CipherEntry>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', key: 16, iv: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', key: 24, iv: 16 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', key: 32, iv: 16 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', key: 24, iv: 8 },
};

/** The schemes of RFC 7292 appendix C: SHA-1, and key and IV from the KDF of appendix B. */
const LEGACY_CIPHERS: Readonly<Record<string, CipherEntry>> = {
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', key: 24, iv: 8 },
  '1.2.840.113549.1.12.1.4': { name: 'des-ede-cbc', key: 16, iv: 8 },
  '1.2.840.113549.1.12.1.5': { name: 'rc2-cbc', key: 16, iv: 8 },
  '1.2.840.113549.1.12.1.6': { name: 'rc2-40-cbc', key: 5, iv: 8 },
};

/**
 * The iterations that one file may ask for, all its derivations together: whoever made the file says how long we work.
 * Counted in iterations of PBKDF2 with SHA-256 (0.2 to 0.5 µs each); one of PKCS#12's own KDF costs about four of these,
 * and one with a longer digest three. So a file keeps us for two seconds at most. 600,000 thrice, as we and Firefox write it,
 * is 3.6 million of them, and 4.8 when both readings of an empty passphrase are tried on its MAC.
 */
const ITERATION_BUDGET = 5_000_000;
const PKCS12_ITERATION_COST = 4;
const LONG_DIGEST_COST = 3;

/** What scrypt may fill: OWASP's costliest setting (N = 2^17, r = 8) needs 128 MiB. */
const SCRYPT_MEMORY = 144 * 1024 * 1024;

/** How a file that a passphrase is at work on is refused: in the words of its own format. */
export interface Refusals {
  readonly malformed: (problem: string) => MtlsError;
  readonly unsupported: (what: string) => MtlsError;
}

/** One passphrase at work on one file. Every derivation is paid for from the file's budget. */
export class PassphraseWork {
  readonly #refusals: Refusals;
  readonly #utf8: Buffer;
  readonly #bmp: Buffer;
  #budget: number;

  /** `absent` is OpenSSL's other reading of an empty passphrase: no octets, where `''` is two that are zero. */
  constructor(passphrase: string, refusals: Refusals, options: { readonly absent?: boolean; readonly budget?: number } = {}) {
    this.#refusals = refusals;
    this.#utf8 = Buffer.from(passphrase, 'utf8');
    this.#bmp = options.absent === true ? Buffer.alloc(0) : bmpPassphrase(passphrase);
    this.#budget = options.budget ?? ITERATION_BUDGET;
  }

  /** What is left to spend. */
  get budget(): number {
    return this.#budget;
  }

  /** Opens what `algorithm` encrypted; undefined when the padding says that the passphrase is wrong. */
  decrypt(algorithm: AlgorithmIdentifier, data: Buffer): Buffer | undefined {
    const { cipher, key, iv } = algorithm.oid === PKCS12_OID.pbes2 ? this.#pbes2(algorithm) : this.#legacy(algorithm);
    const decipher = createDecipheriv(cipher, key, iv);
    try {
      return Buffer.concat([decipher.update(data), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  /**
   * The MAC over `data` (RFC 7292 §4.1 and appendix B, RFC 9579 for PBMAC1).
   *
   *     MacData ::= SEQUENCE { DigestInfo { AlgorithmIdentifier, OCTET STRING }, macSalt, iterations DEFAULT 1 }
   */
  mac(algorithm: AlgorithmIdentifier, salt: Buffer, iterations: number, data: Buffer): Buffer {
    if (algorithm.oid === PKCS12_OID.pbmac1) {
      const parameters = DerReader.within(this.#parametersOf(algorithm));
      const derivation = readAlgorithm(parameters);
      const scheme = readAlgorithm(parameters);
      parameters.end();
      const digest = HMACS[scheme.oid] ?? this.#unsupported(`the MAC ${scheme.oid}`);
      return createHmac(digest.name, this.#pbkdf2(derivation, undefined)).update(data).digest();
    }
    const digest = DIGESTS[algorithm.oid] ?? this.#unsupported(`the MAC digest ${algorithm.oid}`);
    this.#spend(iterations * PKCS12_ITERATION_COST);
    const key = pkcs12Key(digest, this.#bmp, { purpose: 3, salt, iterations, length: digest.length });
    return createHmac(digest.name, key).update(data).digest();
  }

  /** `PBES2-params ::= SEQUENCE { keyDerivationFunc, encryptionScheme }` (RFC 8018 §A.4). */
  #pbes2(algorithm: AlgorithmIdentifier): { cipher: string; key: Buffer; iv: Buffer } {
    const parameters = DerReader.within(this.#parametersOf(algorithm));
    const derivation = readAlgorithm(parameters);
    const scheme = readAlgorithm(parameters);
    parameters.end();
    const cipher = CIPHERS[scheme.oid] ?? this.#unsupported(`the cipher ${scheme.oid}`);
    const reader = new DerReader(this.#parametersOf(scheme));
    const iv = reader.octetString();
    if (iv.length !== cipher.iv) reader.refuse('malformed string', `an IV of ${cipher.iv} octets`);
    const isScrypt = derivation.oid === PKCS12_OID.scrypt;
    return { cipher: cipher.name, key: isScrypt ? this.#scrypt(derivation, cipher.key) : this.#pbkdf2(derivation, cipher.key), iv };
  }

  /**
   * scrypt (RFC 7914 §7.1), where mixing a block takes about as long as an iteration of PBKDF2.
   *
   *     scrypt-params ::= SEQUENCE { salt, costParameter, blockSize, parallelizationParameter, keyLength OPTIONAL }
   */
  #scrypt(algorithm: AlgorithmIdentifier, length: number): Buffer {
    const parameters = DerReader.within(this.#parametersOf(algorithm));
    const salt = parameters.octetString();
    const [N, r, p] = [parameters.smallInteger(), parameters.smallInteger(), parameters.smallInteger()];
    if (!parameters.atEnd && parameters.smallInteger() !== length) parameters.refuse('integer too large', `a key length of ${length}`);
    parameters.end();
    const undefinedFor = `scrypt is not defined for N = ${N}, r = ${r}, p = ${p}`;
    // for 0 Node has defaults
    if (N * r * p === 0) throw this.#refusals.malformed(undefinedFor);
    // filling and emptying a lane takes as long as four
    this.#spend((N + 4) * r * p);
    if (128 * r * (N + p) > SCRYPT_MEMORY) throw this.#refusals.malformed('its scrypt asks for more memory than is sane');
    try {
      return scryptSync(this.#utf8, salt, length, { N, r, p, maxmem: 2 * SCRYPT_MEMORY });
    } catch {
      throw this.#refusals.malformed(undefinedFor);
    }
  }

  /** `PBKDF2-params ::= SEQUENCE { salt, iterationCount, keyLength OPTIONAL, prf DEFAULT hmacWithSHA1 }` (RFC 8018 §A.2). */
  #pbkdf2(algorithm: AlgorithmIdentifier, length: number | undefined): Buffer {
    if (algorithm.oid !== PKCS12_OID.pbkdf2) this.#unsupported(`the key derivation ${algorithm.oid}`);
    const parameters = DerReader.within(this.#parametersOf(algorithm));
    const salt = parameters.octetString();
    const iterations = iterationCount(parameters);
    const said = parameters.peek() === TAG.integer ? parameters.smallInteger() : undefined;
    // PBMAC1 has no other place to say how long its key is (RFC 9579 §4)
    if (said === undefined ? length === undefined : said < 1 || said > 64 || (length !== undefined && said !== length))
      parameters.refuse('integer too large', `a key length of ${length ?? 'at most 64'}`);
    const prf = parameters.atEnd ? PKCS12_OID.hmacWithSha1 : readAlgorithm(parameters).oid;
    parameters.end();
    const digest = HMACS[prf] ?? this.#unsupported(`the pseudo-random function ${prf}`);
    const wanted = length ?? said!;
    this.#spend(iterations * Math.ceil(wanted / digest.length) * (digest.block > 64 ? LONG_DIGEST_COST : 1));
    return pbkdf2Sync(this.#utf8, salt, iterations, wanted, digest.name);
  }

  /** `pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }` (RFC 7292 §C). */
  #legacy(algorithm: AlgorithmIdentifier): { cipher: string; key: Buffer; iv: Buffer } {
    const cipher = LEGACY_CIPHERS[algorithm.oid] ?? this.#unsupported(`the cipher ${algorithm.oid}`);
    // OpenSSL 3 has RC2 only in its legacy provider, which Node does not load
    if (!getCiphers().includes(cipher.name)) this.#unsupported(`the cipher ${cipher.name}`);
    const parameters = DerReader.within(this.#parametersOf(algorithm));
    const salt = parameters.octetString();
    const iterations = iterationCount(parameters);
    parameters.end();
    this.#spend(iterations * PKCS12_ITERATION_COST * 3);
    const derive = (purpose: number, length: number): Buffer =>
      pkcs12Key(DIGESTS['1.3.14.3.2.26']!, this.#bmp, { purpose, salt, iterations, length });
    return { cipher: cipher.name, key: derive(1, cipher.key), iv: derive(2, cipher.iv) };
  }

  #parametersOf(algorithm: AlgorithmIdentifier): Buffer {
    return algorithm.parameters ?? new DerReader(algorithm.der).fail('missing element', `parameters of ${algorithm.oid}`);
  }

  #spend(iterations: number): void {
    this.#budget -= iterations;
    if (this.#budget >= 0) return;
    throw this.#refusals.malformed(`it asks for more than ${ITERATION_BUDGET} iterations of key derivation`);
  }

  #unsupported(what: string): never {
    throw this.#refusals.unsupported(what);
  }
}

/** An iteration count, which must be at least one. */
export function iterationCount(reader: DerReader): number {
  const iterations = reader.smallInteger();
  if (iterations === 0) reader.refuse('missing element', 'an iteration');
  return iterations;
}

interface Derivation {
  /** 1: a key, 2: an IV, 3: a MAC key (RFC 7292 §B.3). */
  readonly purpose: number;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly length: number;
}

/** PKCS#12's own key derivation (RFC 7292 §B.2), with the names that it has there. */
export function pkcs12Key(digest: Digest, passphrase: Buffer, { purpose, salt, iterations, length }: Derivation): Buffer {
  const v = digest.block;
  const D = Buffer.alloc(v, purpose);
  const I = Buffer.concat([filled(salt, v), filled(passphrase, v)]);
  const blocks: Buffer[] = [];
  for (let made = 0; made < length; made += digest.length) {
    let A = hash(digest.name, Buffer.concat([D, I]), 'buffer');
    for (let i = 1; i < iterations; i++) A = hash(digest.name, A, 'buffer');
    blocks.push(A);
    const B = Buffer.alloc(v, A);
    for (let j = 0; j < I.length; j += v) addPlusOne(I.subarray(j, j + v), B);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** Copies of `bytes` up to the next multiple of `v`; nothing for nothing. */
const filled = (bytes: Buffer, v: number): Buffer =>
  bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(v * Math.ceil(bytes.length / v), bytes);

/** `target + addend + 1` modulo 2^(8v), in place. */
function addPlusOne(target: Buffer, addend: Buffer): void {
  let carry = 1;
  for (let i = target.length - 1; i >= 0; i--) {
    carry += target[i]! + addend[i]!;
    target[i] = carry & 0xff;
    carry >>= 8;
  }
}

/** A passphrase as PKCS#12's KDF takes it: UTF-16, most significant octet first, with two zero octets behind (RFC 7292 §B.1). */
export function bmpPassphrase(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}

/** A digest that we write with. */
interface NamedDigest {
  readonly oid: string;
  readonly digest: Digest;
}

const named = (oid: string): NamedDigest => ({ oid, digest: DIGESTS[oid]! });
export const SHA256_DIGEST = named('2.16.840.1.101.3.4.2.1');
/** For readers that know no better. */
export const SHA1_DIGEST = named('1.3.14.3.2.26');
