import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../../src/pki/certificate.js';
import { DerReader, TAG } from '../../src/pki/der.js';
import { type Node, element, embed, explicit, integer, octetString, oid, sequence, toDer } from '../../src/pki/encode.js';
import { PKCS12_OID } from '../../src/pki/oids.js';

export const dataInfo = (data: Buffer): Node => sequence(oid(PKCS12_OID.data), explicit(0, octetString(data)));

export const bagOf = (id: string, value: Node, ...attributes: readonly Node[]): Node =>
  sequence(oid(id), explicit(0, value), ...attributes);

export const certificateBag = ({ der }: Certificate): Node =>
  bagOf(PKCS12_OID.certificateBag, sequence(oid(PKCS12_OID.x509Certificate), explicit(0, octetString(der))));

export const keyBag = (key: KeyObject): Node => bagOf(PKCS12_OID.keyBag, embed(key.export({ format: 'der', type: 'pkcs8' })));

/** A PKCS#12 file without a MAC around whatever contents. */
export const pfxOf = (...infos: readonly Node[]): Buffer => toDer(sequence(integer(3), dataInfo(toDer(sequence(...infos)))));

/** A PKCS#12 file that nothing protects. */
export const plainPfx = (...bags: readonly Node[]): Buffer => pfxOf(dataInfo(toDer(sequence(...bags))));

/** The same file without its MAC. */
export function withoutMac(der: Buffer): Buffer {
  const reader = DerReader.within(der);
  return element(TAG.sequence, [reader.element().whole, reader.element().whole]);
}
