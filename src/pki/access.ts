import { DerReader } from './der.js';
import { type GeneralNames, readGeneralNames } from './general-name.js';

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
