import { DerReader, TAG, context, contextConstructed } from '../../pki/der.js';

/** How a certificate was written, where its value does not say. */
export interface CertificateEncoding {
  /** The tags of notBefore and notAfter. */
  readonly timeTags: readonly number[];
  /** The tag numbers of the unique identifiers that are there: 1 the issuer's, 2 the subject's. */
  readonly uniqueIds: readonly number[];
}

/** `tbs` has been read strictly before. */
export function certificateEncoding(tbs: Buffer): CertificateEncoding {
  const reader = DerReader.within(tbs);
  reader.enterOptional(contextConstructed(0));
  skip(reader, ['serial', 'signature', 'issuer']);
  const validity = reader.enter();
  const timeTags = [validity.element().tag, validity.element().tag];
  skip(reader, ['subject', 'key']);
  const uniqueIds: number[] = [];
  while (!reader.atEnd) {
    const { tag } = reader.element();
    if (tag === context(1) || tag === context(2)) uniqueIds.push(tag & 0x1f);
  }
  return { timeTags, uniqueIds };
}

/** How a CRL was written, where its value does not say. */
export interface CrlEncoding {
  /** The tags of thisUpdate and of nextUpdate, if there is one. */
  readonly timeTags: readonly number[];
  /** A list of revoked certificates without one. */
  readonly emptyList: boolean;
}

export function crlEncoding(tbs: Buffer): CrlEncoding {
  const reader = DerReader.within(tbs);
  if (reader.peek() === TAG.integer) reader.element();
  skip(reader, ['signature', 'issuer']);
  const timeTags: number[] = [];
  while (reader.peek() === TAG.utcTime || reader.peek() === TAG.generalizedTime) timeTags.push(reader.element().tag);
  const list = reader.peek() === TAG.sequence ? reader.content(TAG.sequence) : undefined;
  return { timeTags, emptyList: list?.length === 0 };
}

const skip = (reader: DerReader, fields: readonly string[]): void => fields.forEach(() => reader.element());
