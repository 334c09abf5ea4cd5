import { type KeyObject, createPrivateKey, timingSafeEqual } from 'node:crypto';
import { MtlsError, isError } from '../errors.js';
import { type AlgorithmIdentifier, readAlgorithm } from './algorithms.js';
import { definite } from './ber.js';
import { type Certificate, readCertificate } from './certificate.js';
import { DerReader, TAG, context, contextConstructed } from './der.js';
import { KEYS_LIMIT } from './key.js';
import { stringOf } from './name.js';
import { PKCS12_OID } from './oids.js';
import { PassphraseWork, type Refusals, iterationCount } from './passphrase.js';
import { looksLikeDer } from './pem.js';

/** What a PKCS#12 file holds, each list in the order of the file. */
export interface Pkcs12 {
  readonly certificates: Certificate[];
  readonly keys: KeyObject[];
  /** The names that people gave to entries; absent when there are none. */
  readonly friendlyNames?: string[];
}

/**
 * Opens a PKCS#12 file (RFC 7292) that is protected by a passphrase, or by nothing. The MAC is checked before anything
 * is decrypted; bags of kinds that we do not know are passed over. Lengths may be indefinite, as NSS and old Windows write them.
 * `path` is for the errors: PASSPHRASE_WRONG, PKCS12_MALFORMED, PKCS12_UNSUPPORTED.
 *
 *     PFX SEQUENCE { version 3, authSafe ContentInfo, MacData OPTIONAL }
 *       authSafe → OCTET STRING → SEQUENCE OF ContentInfo, each data or encryptedData
 *         → SafeContents SEQUENCE OF SafeBag { bagId, [0] value, attributes SET OPTIONAL }
 */
export function readPkcs12(der: Buffer, passphrase: string, path: string): Pkcs12 {
  try {
    const reader = DerReader.within(definite(der));
    if (reader.smallInteger() !== 3) reader.refuse('integer too large', 'a PFX of version 3');
    const { type, content } = readContentInfo(reader);
    if (type !== PKCS12_OID.data) throw new MtlsError('PKCS12_UNSUPPORTED', { path, what: `protection by a public key (${type})` });
    const authenticated = content.octetString();
    content.end();
    const mac = reader.atEnd ? undefined : readMac(reader);
    reader.end();
    const work = mac === undefined ? new PassphraseWork(passphrase, refusalsOf(path)) : workThatOpens(mac, authenticated, passphrase, path);
    return new Safe(work, path, mac !== undefined).read(authenticated);
  } catch (error) {
    const inside = (['DER_MALFORMED', 'CERTIFICATE_MALFORMED'] as const).some((code) => isError(error, code));
    if (!inside) throw error;
    throw new MtlsError('PKCS12_MALFORMED', { path, problem: (error as Error).message }, { cause: error });
  }
}

const refusalsOf = (path: string): Refusals => ({
  malformed: (problem) => new MtlsError('PKCS12_MALFORMED', { path, problem }),
  unsupported: (what) => new MtlsError('PKCS12_UNSUPPORTED', { path, what }),
});

interface Mac {
  readonly algorithm: AlgorithmIdentifier;
  readonly expected: Buffer;
  readonly salt: Buffer;
  readonly iterations: number;
}

function readMac(reader: DerReader): Mac {
  const mac = reader.enter();
  const info = mac.enter();
  const algorithm = readAlgorithm(info);
  const expected = info.octetString();
  info.end();
  const salt = mac.octetString();
  // DEFAULT 1, which some write all the same
  const iterations = mac.atEnd ? 1 : iterationCount(mac);
  mac.end();
  return { algorithm, expected, salt, iterations };
}

/** The passphrase at work, once the MAC says that it is the right one. An empty one has two readings, and both are in use. */
function workThatOpens({ algorithm, expected, salt, iterations }: Mac, data: Buffer, passphrase: string, path: string): PassphraseWork {
  let budget: number | undefined;
  for (const absent of passphrase === '' ? [false, true] : [false]) {
    const work: PassphraseWork = new PassphraseWork(passphrase, refusalsOf(path), { absent, ...(budget === undefined ? {} : { budget }) });
    const found = work.mac(algorithm, salt, iterations, data);
    if (found.length === expected.length && timingSafeEqual(found, expected)) return work;
    budget = work.budget;
  }
  throw new MtlsError('PASSPHRASE_WRONG', { path });
}

/** `ContentInfo ::= SEQUENCE { contentType, [0] EXPLICIT content }`; the reader that is answered stands before the content. */
function readContentInfo(reader: DerReader): { readonly type: string; readonly content: DerReader } {
  const info = reader.enter();
  const type = info.oid();
  const content = info.enter(contextConstructed(0));
  info.end();
  return { type, content };
}

/** Bags within bags within bags: more than anybody writes. */
const DEPTH_LIMIT = 3;

/** The authenticated safe while it is being read. */
class Safe {
  readonly #work: PassphraseWork;
  readonly #path: string;
  /** Is the passphrase known to be right? Without a MAC, garbage may mean that it is not. */
  readonly #proven: boolean;
  readonly #certificates: Certificate[] = [];
  readonly #keys: KeyObject[] = [];
  readonly #names = new Set<string>();

  constructor(work: PassphraseWork, path: string, proven: boolean) {
    this.#work = work;
    this.#path = path;
    this.#proven = proven;
  }

  read(authenticated: Buffer): Pkcs12 {
    const infos = DerReader.within(definite(authenticated));
    while (!infos.atEnd) {
      const { type, content } = readContentInfo(infos);
      if (type === PKCS12_OID.data) this.#bags(DerReader.within(definite(content.octetString())), DEPTH_LIMIT);
      else if (type === PKCS12_OID.encryptedData) this.#bags(DerReader.within(definite(this.#encryptedData(content))), DEPTH_LIMIT);
      else throw new MtlsError('PKCS12_UNSUPPORTED', { path: this.#path, what: `contents of type ${type}` });
      content.end();
    }
    const names = this.#names.size === 0 ? {} : { friendlyNames: [...this.#names] };
    return { certificates: this.#certificates, keys: this.#keys, ...names };
  }

  /** `EncryptedData ::= SEQUENCE { version 0, SEQUENCE { contentType, AlgorithmIdentifier, [0] IMPLICIT OCTET STRING } }`. */
  #encryptedData(content: DerReader): Buffer {
    const data = content.enter();
    if (data.smallInteger() !== 0) data.refuse('integer too large', 'EncryptedData of version 0');
    const info = data.enter();
    data.end();
    if (info.oid() !== PKCS12_OID.data) info.refuse('unexpected tag', 'contents of type data');
    const algorithm = readAlgorithm(info);
    const encrypted = info.octetString(context(0));
    info.end();
    return this.#open(algorithm, encrypted);
  }

  #open(algorithm: AlgorithmIdentifier, encrypted: Buffer): Buffer {
    const opened = this.#work.decrypt(algorithm, encrypted);
    if (opened !== undefined && looksLikeDer(opened)) return opened;
    if (!this.#proven) throw new MtlsError('PASSPHRASE_WRONG', { path: this.#path });
    throw new MtlsError('PKCS12_MALFORMED', { path: this.#path, problem: 'the MAC is right and the encrypted part does not open' });
  }

  #bags(bags: DerReader, depth: number): void {
    while (!bags.atEnd) {
      const bag = bags.enter();
      const id = bag.oid();
      const value = bag.enter(contextConstructed(0));
      this.#bag(id, value, depth);
      if (!bag.atEnd) this.#attributes(bag.enter(TAG.set));
      bag.end();
    }
  }

  #bag(id: string, value: DerReader, depth: number): void {
    switch (id) {
      case PKCS12_OID.keyBag:
        this.#key(value.element(TAG.sequence).whole);
        break;
      case PKCS12_OID.shroudedKeyBag: {
        // EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING } (RFC 5958 §3)
        const info = value.enter();
        const algorithm = readAlgorithm(info);
        const encrypted = info.octetString();
        info.end();
        const opened = this.#open(algorithm, encrypted);
        this.#key(opened);
        opened.fill(0);
        break;
      }
      case PKCS12_OID.certificateBag: {
        const certificate = value.enter();
        const type = certificate.oid();
        const octets = certificate.enter(contextConstructed(0));
        certificate.end();
        if (type !== PKCS12_OID.x509Certificate) return;
        this.#certificates.push(readCertificate(octets.octetString()));
        octets.end();
        break;
      }
      case PKCS12_OID.safeContentsBag:
        if (depth === 0) value.fail('length too large', `bags within bags deeper than ${DEPTH_LIMIT}`);
        this.#bags(value.enter(), depth - 1);
        break;
      default:
        // a CRL, a secret, what nobody has thought of yet
        return;
    }
    value.end();
  }

  #key(pkcs8: Buffer): void {
    if (this.#keys.length === KEYS_LIMIT)
      throw new MtlsError('PKCS12_MALFORMED', { path: this.#path, problem: `more than ${KEYS_LIMIT} private keys` });
    try {
      this.#keys.push(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
    } catch {
      // the cause is left out: an OpenSSL error of a decoder could carry what it decoded
      throw new MtlsError('PKCS12_MALFORMED', { path: this.#path, problem: 'a private key in it is none that OpenSSL can read' });
    }
  }

  /** Of the attributes only the friendlyName (RFC 2985 §5.5.1) is of use to us. */
  #attributes(attributes: DerReader): void {
    while (!attributes.atEnd) {
      const attribute = attributes.enter();
      const type = attribute.oid();
      const values = attribute.enter(TAG.set);
      attribute.end();
      if (type !== PKCS12_OID.friendlyName) continue;
      const { tag, content } = values.element();
      this.#names.add(stringOf(tag, content) ?? values.refuse('malformed string', 'a friendlyName'));
      values.end();
    }
  }
}
