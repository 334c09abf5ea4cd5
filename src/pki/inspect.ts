import type { KeyObject } from 'node:crypto';
import { CRL_FILE_LIMIT, readFileBounded } from '../base/files.js';
import { MtlsError, isError, shellWord } from '../errors.js';
import { type PublicKeyInfo, describeKey, readPublicKeyInfo, signatureName } from './algorithms.js';
import { type Certificate, isSelfIssued, isSignedBy, namesIssuer } from './certificate.js';
import type { Crl } from './crl.js';
import { type Csr, provesPossession } from './csr.js';
import { DerReader } from './der.js';
import { certificateFields, crlFields, csrFields } from './fields.js';
import { isEncrypted, isKeyOf, publicKeyInfo, readPrivateKey } from './key.js';
import { itemsIn } from './material.js';
import { formatName, labelOf } from './name.js';
import { oidName } from './oids.js';
import { readPkcs12 } from './pkcs12.js';

/** One thing that was found in `source`. A private key is told by its public half; undefined when it stays closed. */
export type Inspected = { readonly source: string } & (
  | { readonly kind: 'certificate'; readonly value: Certificate }
  | { readonly kind: 'crl'; readonly value: Crl }
  | { readonly kind: 'csr'; readonly value: Csr }
  | {
      readonly kind: 'private-key';
      readonly encrypted: boolean;
      readonly key: KeyObject | undefined;
      readonly publicKey: PublicKeyInfo | undefined;
    }
  | { readonly kind: 'public-key'; readonly publicKey: PublicKeyInfo }
  | { readonly kind: 'unknown'; readonly label: string }
);

/**
 * Everything in a file, a PKCS#12 file being opened with `passphrase` ('' when there is none). Throws what reading it
 * throws; an encrypted key without a passphrase is a value, a PKCS#12 file that needs one is KEY_ENCRYPTED.
 */
export function inspectFile(path: string, passphrase?: string): Inspected[] {
  const bytes = readFileBounded(path, CRL_FILE_LIMIT);
  return itemsIn(bytes, path).flatMap((item): Inspected[] => {
    switch (item.kind) {
      case 'private-key':
        return [inspectKey(bytes, path, isEncrypted(item), passphrase)];
      case 'public-key':
        return [{ source: path, kind: 'public-key', publicKey: readPublicKeyInfo(new DerReader(item.der)) }];
      case 'pkcs12':
        return inspectPkcs12(item.der, path, passphrase);
      default:
        return [{ source: path, ...item }];
    }
  });
}

function inspectKey(bytes: Buffer, path: string, encrypted: boolean, passphrase: string | undefined): Inspected {
  if (encrypted && passphrase === undefined) return { source: path, kind: 'private-key', encrypted, key: undefined, publicKey: undefined };
  const key = readPrivateKey(bytes, path, passphrase);
  return { source: path, kind: 'private-key', encrypted, key, publicKey: publicKeyInfo(key) };
}

function inspectPkcs12(der: Buffer, path: string, passphrase: string | undefined): Inspected[] {
  try {
    const { certificates, keys } = readPkcs12(der, passphrase ?? '', path);
    return [
      ...certificates.map((value): Inspected => ({ source: path, kind: 'certificate', value })),
      ...keys.map((key): Inspected => ({ source: path, kind: 'private-key', encrypted: true, key, publicKey: publicKeyInfo(key) })),
    ];
  } catch (error) {
    if (passphrase === undefined && isError(error, 'PASSPHRASE_WRONG'))
      throw new MtlsError('KEY_ENCRYPTED', { path, remedy: `mtls inspect ${shellWord(path)} --passphrase-file FILE` }, { cause: error });
    throw error;
  }
}

/** What was found, in JSON: the contract's fields, with the words that people use beside them, and what belongs to what. */
export type InspectionView = { readonly source: string } & (
  | {
      readonly kind: 'certificate';
      readonly subject: string;
      readonly issuer: string;
      readonly label: string;
      readonly key: string;
      readonly signature: string;
      /** Signed itself, and is a CA. */
      readonly root: boolean;
      readonly purposes: readonly string[];
      /** Where its issuer was found, proven by the signature; null when it was not. */
      readonly issuedBy: string | null;
      readonly fields: ReturnType<typeof certificateFields>;
    }
  | { readonly kind: 'crl'; readonly issuer: string; readonly signature: string; readonly fields: ReturnType<typeof crlFields> }
  | {
      readonly kind: 'csr';
      readonly subject: string;
      readonly key: string;
      /** Is it signed by the key that it asks for? */
      readonly signedByKey: boolean;
      readonly fields: ReturnType<typeof csrFields>;
    }
  | {
      readonly kind: 'private-key' | 'public-key';
      /** null when it is encrypted and was not opened. */
      readonly key: string | null;
      readonly fields: { readonly encrypted?: boolean; readonly keyType: string | null; readonly keyBits: number | null };
      /** The certificates and requests at hand that have this key; null when there are none to compare with, or it is closed. */
      readonly belongsTo: readonly string[] | null;
    }
  | { readonly kind: 'unknown'; readonly label: string }
);

/** Describes all that was found together: a key belongs to a certificate, a certificate is issued by another. */
export function describeInspected(items: readonly Inspected[]): InspectionView[] {
  return items.map((item): InspectionView => {
    const { source } = item;
    switch (item.kind) {
      case 'certificate':
        return { source, kind: item.kind, ...describeCertificate(item.value), issuedBy: issuerOf(item.value, items)?.source ?? null };
      case 'crl':
        return {
          source,
          kind: item.kind,
          issuer: formatName(item.value.issuer),
          signature: signatureName(item.value.signatureAlgorithm),
          fields: crlFields(item.value),
        };
      case 'csr': {
        const { subject, publicKey } = item.value;
        const fields = csrFields(item.value);
        return {
          source,
          kind: item.kind,
          subject: formatName(subject),
          key: describeKey(publicKey),
          signedByKey: provesPossession(item.value),
          fields,
        };
      }
      case 'unknown':
        return item;
      case 'private-key':
      case 'public-key':
        return { source, kind: item.kind, ...describeKeyItem(item), belongsTo: ownersOf(item, items) };
    }
  });
}

function describeCertificate(certificate: Certificate) {
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    label: labelOf(certificate.subject),
    key: describeKey(certificate.publicKey),
    signature: signatureName(certificate.signatureAlgorithm),
    root: isRoot(certificate),
    purposes: (certificate.extendedKeyUsage ?? []).map(oidName),
    fields: certificateFields(certificate),
  };
}

type KeyItem = Extract<Inspected, { kind: 'private-key' | 'public-key' }>;

function describeKeyItem(item: KeyItem) {
  const { publicKey } = item;
  const fields = {
    ...(item.kind === 'private-key' ? { encrypted: item.encrypted } : {}),
    keyType: publicKey?.type ?? null,
    keyBits: publicKey?.bits ?? null,
  };
  return { key: publicKey === undefined ? null : describeKey(publicKey), fields };
}

function ownersOf(item: KeyItem, items: readonly Inspected[]): string[] | null {
  const candidates = items.flatMap((other) => (other.kind === 'certificate' || other.kind === 'csr' ? [other] : []));
  if (item.publicKey === undefined || candidates.length === 0) return null;
  const { publicKey } = item;
  const isOwner =
    item.kind === 'private-key'
      ? (certificate: { readonly publicKey: PublicKeyInfo }) => isKeyOf(item.key!, certificate.publicKey)
      : (certificate: { readonly publicKey: PublicKeyInfo }) => certificate.publicKey.der.equals(publicKey.der);
  return [...new Set(candidates.filter(({ value }) => isOwner(value)).map(({ source }) => source))];
}

/** How many candidates of one name are tried by their signatures. */
const ISSUERS_TRIED = 16;

/** What among `items` issued the certificate: found by name, proven by signature. Itself, when self-signed. */
function issuerOf(certificate: Certificate, items: readonly Inspected[]): Inspected | undefined {
  const candidates = items.filter((item) => item.kind === 'certificate' && namesIssuer(certificate, item.value)).slice(0, ISSUERS_TRIED);
  return candidates.find((item) => item.kind === 'certificate' && isSignedBy(certificate, item.value) === 'valid');
}

/** Is it a root: a CA that signed itself? */
const isRoot = (certificate: Certificate): boolean =>
  isSelfIssued(certificate) && certificate.basicConstraints?.ca === true && isSignedBy(certificate, certificate) === 'valid';
