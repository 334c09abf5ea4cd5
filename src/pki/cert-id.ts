import { createHash } from 'node:crypto';
import { toHex } from '../base/bytes.js';
import { DIGESTS, type PublicKeyInfo, readAlgorithm } from './algorithms.js';
import type { Certificate } from './certificate.js';
import type { DerReader } from './der.js';
import { type Node, algorithm, integer, octetString, sequence } from './encode.js';
import type { Name } from './name.js';

/** Names a certificate by hashes of its issuer's name and key, and its serial number (RFC 6960 §4.1.1). */
export interface CertId {
  readonly der: Buffer;
  /** The object identifier of the hash. */
  readonly hash: string;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** The INTEGER's octets in hex, as a certificate has it. */
  readonly serial: string;
}

/** `CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber INTEGER }` */
export function readCertId(reader: DerReader): CertId {
  const start = reader.offset;
  const id = reader.enter();
  const hash = readAlgorithm(id).oid;
  const issuerNameHash = id.octetString();
  const issuerKeyHash = id.octetString();
  const serial = toHex(id.integer());
  id.end();
  return { der: reader.since(start), hash, issuerNameHash, issuerKeyHash, serial };
}

/** What a CertID says of an issuer. */
export interface IssuerHashes {
  readonly name: Buffer;
  readonly key: Buffer;
}

/** The hashes of an issuer by the hash of that object identifier; undefined when it is unknown. */
export function issuerHashes(hash: string, { der }: Name, { key }: PublicKeyInfo): IssuerHashes | undefined {
  const digest = DIGESTS[hash];
  if (digest === undefined) return undefined;
  const hashed = (octets: Buffer): Buffer => createHash(digest).update(octets).digest();
  return { name: hashed(der), key: hashed(key) };
}

/** Is this the issuer that a CertID names? */
export const isOfIssuer = ({ issuerNameHash, issuerKeyHash }: CertId, hashes: IssuerHashes | undefined): boolean =>
  hashes !== undefined && hashes.name.equals(issuerNameHash) && hashes.key.equals(issuerKeyHash);

/** The CertID of a certificate in SHA-1, which every responder knows (RFC 5019 §2.1.1); nothing rests on its strength. */
export function certId({ serial, issuer }: Certificate, by: Certificate): Node {
  const { name, key } = issuerHashes(SHA1, issuer, by.publicKey)!;
  return sequence(algorithm(SHA1, true), octetString(name), octetString(key), integer(Buffer.from(serial, 'hex')));
}

const SHA1 = '1.3.14.3.2.26';
