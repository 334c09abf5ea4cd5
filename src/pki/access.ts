import { isError } from '../errors.js';
import type { Certificate } from './certificate.js';
import { DerReader } from './der.js';
import { decodeExtension } from './extensions.js';
import { type GeneralNames, readGeneralNames } from './general-name.js';
import { OID } from './oids.js';

/** One way to reach a service or a certificate (RFC 5280 §4.2.2.1): the method's identifier, and where. */
export interface AccessDescription {
  readonly method: string;
  readonly location: GeneralNames;
}

/** Reads the value of authorityInfoAccess or subjectInfoAccess. Throws DER_MALFORMED. */
export function readAccessDescriptions(value: Buffer): AccessDescription[] {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'an access description');
  const found: AccessDescription[] = [];
  while (!reader.atEnd) {
    const item = reader.enter();
    found.push({ method: item.oid(), location: readGeneralNames(item) });
  }
  return found;
}

/** Where a certificate says that OCSP responders answer for it; an extension that cannot be read says nothing. */
export function ocspUrlsOf({ extensions }: Certificate): readonly string[] {
  const access = extensions.find(({ oid }) => oid === OID.authorityInfoAccess);
  if (access === undefined) return [];
  try {
    return decodeExtension(access, readAccessDescriptions).flatMap(({ method, location }) => (method === OID.ocsp ? location.uri : []));
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    return [];
  }
}
