import { MtlsError, isError } from '../errors.js';
import { type Certificate, readCertificate } from './certificate.js';
import { type Crl, readCrl } from './crl.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { PKCS12_OID } from './oids.js';

/** What a PKCS#7 or CMS file carries along, each list in the order of the file: most writers keep a chain's order there. */
export interface Pkcs7 {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly Crl[];
}

/** More than any bundle has. */
const ITEM_LIMIT = 10_000;

/** A SignedData of version 1 is that of PKCS#7, 3 to 5 are those of CMS (RFC 5652 §5.1). */
const VERSIONS: readonly number[] = [1, 3, 4, 5];

/**
 * The certificates and CRLs of a SignedData (RFC 5652 §5.1, RFC 2315 §9.1), which is how PKCS#7 carries them: "degenerate",
 * signing nothing. Where it signs something, its signatures are not looked at. Kinds of certificates and of revocation
 * that are none of X.509 are passed over. Throws FILE_UNRECOGNIZED for what is no SignedData or holds neither, and the
 * errors of reading what it holds.
 *
 *     ContentInfo SEQUENCE { signedData, [0] SEQUENCE {
 *       version, digestAlgorithms SET, encapContentInfo SEQUENCE { type, [0] content OPTIONAL },
 *       [0] certificates OPTIONAL, [1] crls OPTIONAL, signerInfos SET } }
 */
export function readPkcs7(der: Buffer, path: string): Pkcs7 {
  try {
    const info = DerReader.within(der);
    const type = info.oid();
    if (type !== SIGNED_DATA) throw unrecognized(path, OTHER_CONTENTS[type] ?? `contents of type ${type}`);
    const explicit = info.enter(contextConstructed(0));
    info.end();
    const found = readSignedData(explicit.enter());
    explicit.end();
    if (found.certificates.length + found.crls.length === 0) throw unrecognized(path, 'neither a certificate nor a CRL in it');
    return found;
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('FILE_UNRECOGNIZED', { path, expected: EXPECTED, found: error.message }, { cause: error });
  }
}

const EXPECTED = 'PKCS#7 with certificates';
const unrecognized = (path: string, found: string): MtlsError => new MtlsError('FILE_UNRECOGNIZED', { path, expected: EXPECTED, found });

/** RFC 5652 §5.1, and what else a ContentInfo is likely to hold (§4, §6.1, §7, §8). */
export const SIGNED_DATA = '1.2.840.113549.1.7.2';
const OTHER_CONTENTS: Readonly<Record<string, string>> = {
  [PKCS12_OID.data]: 'plain data',
  '1.2.840.113549.1.7.3': 'enveloped data, which only its recipient can open',
  '1.2.840.113549.1.7.5': 'digested data',
  [PKCS12_OID.encryptedData]: 'encrypted data',
};

function readSignedData(data: DerReader): Pkcs7 {
  if (!VERSIONS.includes(data.smallInteger())) data.refuse('integer too large', `SignedData of version ${VERSIONS.join(', ')}`);
  data.content(TAG.set);
  const content = data.enter();
  content.oid();
  if (!content.atEnd) content.content(contextConstructed(0));
  content.end();
  const certificates = readEach(data.enterOptional(contextConstructed(0)), readCertificate);
  const crls = readEach(data.enterOptional(contextConstructed(1)), readCrl);
  data.content(TAG.set);
  data.end();
  return { certificates, crls };
}

/** The members of a SET that are X.509: those under a plain SEQUENCE, all other alternatives being tagged (RFC 5652 §10.2.1, §10.2.2). */
function readEach<T>(members: DerReader | undefined, read: (der: Buffer) => T): T[] {
  const found: T[] = [];
  while (members !== undefined && !members.atEnd) {
    const { tag, whole } = members.element();
    if (tag !== TAG.sequence) continue;
    if (found.length === ITEM_LIMIT) members.refuse('length too large', `more than ${ITEM_LIMIT} of a kind`);
    found.push(read(whole));
  }
  return found;
}
