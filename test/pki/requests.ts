import { type KeyObject, sign } from 'node:crypto';
import {
  type Node,
  type SubjectNames,
  algorithm,
  bitString,
  element,
  embed,
  extension,
  generalNames,
  integer,
  name,
  oid,
  sequence,
  set,
  toDer,
} from '../../src/pki/encode.js';
import { TAG, contextConstructed } from '../../src/pki/der.js';
import { publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';

/** One attribute of a request: `extensionRequest` with the SAN. */
export const sanAttribute = (names: SubjectNames): Node =>
  sequence(oid(OID.extensionRequest), set(sequence(extension(OID.subjectAltName, false, generalNames(names)))));

/** A request for `names`, signed with ECDSA by `key` unless `signer` is another; `attributes` may be given as they are, or left out with null. */
export function csrOf(
  key: KeyObject,
  names: SubjectNames,
  options: { readonly attributes?: readonly Node[] | null; readonly version?: number; readonly signer?: KeyObject } = {},
): Buffer {
  const { attributes = [sanAttribute(names)], version = 0, signer = key } = options;
  const info = element(TAG.sequence, [
    toDer(integer(version)),
    toDer(name([[OID.commonName, 'api']])),
    publicKeyInfo(key).der,
    ...(attributes === null ? [] : [element(contextConstructed(0), attributes.map(toDer))]),
  ]);
  return toDer(sequence(embed(info), algorithm(OID.ecdsaWithSha256, false), bitString(sign('sha256', info, signer))));
}
