import { type CipherGCMTypes, createDecipheriv, createHmac } from 'node:crypto';
import { CIPHER_SUITES } from './codepoints.js';
import type { TlsRecord } from './records.js';

/** Opens the protected records of one direction, in order. undefined when a record does not open. */
export interface RecordOpener {
  open(record: TlsRecord): Buffer | undefined;
  /** The opener after a KeyUpdate (RFC 8446 §7.2); undefined where there is none. */
  next(): RecordOpener | undefined;
}

interface Aead {
  readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly keyLength: number;
  readonly hash: 'sha256' | 'sha384';
}

/** What protects records under a cipher suite; undefined for CBC, CCM and unknown suites: their records stay closed. */
function aeadOf(suite: number): Aead | undefined {
  const name = CIPHER_SUITES[suite] ?? '';
  const hash = name.endsWith('SHA384') ? 'sha384' : 'sha256';
  if (name.includes('AES_128_GCM')) return { algorithm: 'aes-128-gcm', keyLength: 16, hash };
  if (name.includes('AES_256_GCM')) return { algorithm: 'aes-256-gcm', keyLength: 32, hash };
  return name.includes('CHACHA20_POLY1305') ? { algorithm: 'chacha20-poly1305', keyLength: 32, hash } : undefined;
}

/** HKDF-Expand-Label (RFC 8446 §7.1). */
export function expandLabel(hash: 'sha256' | 'sha384', secret: Buffer, label: string, length: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([length >> 8, length & 255, full.length]), full, Buffer.from([0])]);
  return hkdfExpand(hash, secret, info, length);
}

/** HKDF-Expand (RFC 5869 §2.3): node:crypto has it only together with HKDF-Extract. */
function hkdfExpand(hash: string, secret: Buffer, info: Buffer, length: number): Buffer {
  let block: Buffer = Buffer.alloc(0);
  let output = block;
  for (let counter = 1; output.length < length; counter++) {
    block = createHmac(hash, secret)
      .update(block)
      .update(info)
      .update(Buffer.from([counter]))
      .digest();
    output = Buffer.concat([output, block]);
  }
  return output.subarray(0, length);
}

/**
 * TLS 1.3 (RFC 8446 §5.2, §5.3, §7.3): key and IV from a traffic secret, the nonce is the IV xor the record's number,
 * the additional data is the record header. The inner content type stays at the end of what is opened.
 */
export function openerFromSecret(suite: number, secret: Buffer): RecordOpener | undefined {
  const aead = aeadOf(suite);
  if (aead === undefined) return undefined;
  const key = expandLabel(aead.hash, secret, 'key', aead.keyLength);
  const iv = expandLabel(aead.hash, secret, 'iv', 12);
  let sequence = 0n;
  return {
    open: (record) => openAead(aead, key, nonceOf(iv, sequence++), record.header, record.fragment),
    next: () => openerFromSecret(suite, expandLabel(aead.hash, secret, 'traffic upd', secret.length)),
  };
}

/**
 * TLS 1.2 (RFC 5246 §6.3; RFC 5288 §3 for GCM, RFC 7905 §2 for ChaCha20): both directions from the master secret.
 * GCM has 4 octets of implicit nonce and sends the other 8; ChaCha20 xors as TLS 1.3 does.
 */
export function openersFromMaster(
  suite: number,
  master: Buffer,
  randoms: { readonly client: Buffer; readonly server: Buffer },
): { readonly client: RecordOpener; readonly server: RecordOpener } | undefined {
  const aead = aeadOf(suite);
  if (aead === undefined) return undefined;
  const ivLength = aead.algorithm === 'chacha20-poly1305' ? 12 : 4;
  const seed = Buffer.concat([Buffer.from('key expansion'), randoms.server, randoms.client]);
  const block = prf(aead.hash, master, seed, 2 * (aead.keyLength + ivLength));
  const part = (start: number, length: number): Buffer => block.subarray(start, start + length);
  const ivs = 2 * aead.keyLength;
  return {
    client: tls12Opener(aead, part(0, aead.keyLength), part(ivs, ivLength)),
    server: tls12Opener(aead, part(aead.keyLength, aead.keyLength), part(ivs + ivLength, ivLength)),
  };
}

function tls12Opener(aead: Aead, key: Buffer, iv: Buffer): RecordOpener {
  let sequence = 0n;
  return {
    open: ({ header, fragment }) => {
      const number = sequence++;
      const explicit = iv.length === 4 ? 8 : 0;
      const nonce = explicit === 0 ? nonceOf(iv, number) : Buffer.concat([iv, fragment.subarray(0, explicit)]);
      const length = fragment.length - explicit - TAG_LENGTH;
      if (length < 0) return undefined;
      // additional data: sequence number, type, version, length of the plaintext (RFC 5246 §6.2.3.3)
      const additional = Buffer.alloc(13);
      additional.writeBigUInt64BE(number);
      header.copy(additional, 8, 0, 3);
      additional.writeUInt16BE(length, 11);
      return openAead(aead, key, nonce, additional, fragment.subarray(explicit));
    },
    next: () => undefined,
  };
}

/** P_hash (RFC 5246 §5). */
function prf(hash: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  let a = seed;
  let output: Buffer = Buffer.alloc(0);
  while (output.length < length) {
    a = createHmac(hash, secret).update(a).digest();
    output = Buffer.concat([output, createHmac(hash, secret).update(a).update(seed).digest()]);
  }
  return output.subarray(0, length);
}

const TAG_LENGTH = 16;

function nonceOf(iv: Buffer, sequence: bigint): Buffer {
  const nonce = Buffer.from(iv);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequence, 4);
  return nonce;
}

function openAead(aead: Aead, key: Buffer, nonce: Buffer, additional: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < TAG_LENGTH) return undefined;
  const end = sealed.length - TAG_LENGTH;
  try {
    const decipher = createDecipheriv(aead.algorithm as CipherGCMTypes, key, nonce, { authTagLength: TAG_LENGTH });
    decipher.setAAD(additional, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}
