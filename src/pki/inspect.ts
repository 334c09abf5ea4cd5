import { CRL_FILE_LIMIT, readFileBounded } from '../base/files.js';
import { DAY } from '../base/duration.js';
import { MtlsError, isError, openWithPassphrase, shellWord } from '../errors.js';
import { type PublicKeyInfo, describeKey, readPublicKeyInfo, signatureName } from './algorithms.js';
import type { Certificate } from './certificate.js';
import type { Crl } from './crl.js';
import { type Csr, provesPossession } from './csr.js';
import { DerReader } from './der.js';
import { certificateDetails, certificateFields, crlDetails, crlFields, csrDetails, csrFields, keyPins } from './fields.js';
import { KEYS_LIMIT, isEncrypted, publicKeyInfo, readPrivateKey } from './key.js';
import { type Item, itemsIn } from './material.js';
import { formatName, labelOf } from './name.js';
import { oidName } from './oids.js';
import { toPem } from './pem.js';
import { readPkcs12 } from './pkcs12.js';
import { Relations } from './relations.js';

/** One thing that was found in `source`. A private key is told by its public half; undefined when it stays closed. */
export type Inspected = { readonly source: string; readonly container?: 'PKCS#7' | 'PKCS#12' } & (
  | { readonly kind: 'certificate'; readonly value: Certificate }
  | { readonly kind: 'crl'; readonly value: Crl }
  | { readonly kind: 'csr'; readonly value: Csr }
  | { readonly kind: 'private-key'; readonly encrypted: boolean; readonly publicKey: PublicKeyInfo | undefined }
  | { readonly kind: 'public-key'; readonly publicKey: PublicKeyInfo }
  | { readonly kind: 'unknown'; readonly label: string }
);

/**
 * Everything in a file, a PKCS#12 file being opened with `passphrase` ('' when there is none). Throws what reading it
 * throws; an encrypted key without a passphrase is a value, a PKCS#12 file that needs one is KEY_ENCRYPTED.
 */
export function inspectFile(path: string, passphrase?: string): Inspected[] {
  const items = itemsIn(readFileBounded(path, CRL_FILE_LIMIT), path);
  if (items.filter(({ kind }) => kind === 'private-key').length > KEYS_LIMIT)
    throw new MtlsError('KEY_UNREADABLE', { path, problem: `more than ${KEYS_LIMIT} private keys` });
  return items.flatMap((item): Inspected[] => {
    switch (item.kind) {
      case 'private-key':
        return [inspectKey(item, path, passphrase)];
      case 'public-key':
        return [{ source: path, kind: 'public-key', publicKey: inspectPublicKey(item.der, path) }];
      case 'pkcs12':
        return inspectPkcs12(item.der, path, passphrase);
      default:
        return [{ source: path, ...item }];
    }
  });
}

function inspectKey(item: Extract<Item, { kind: 'private-key' }>, path: string, passphrase: string | undefined): Inspected {
  const encrypted = isEncrypted(item);
  const isOpen = !encrypted || passphrase !== undefined;
  const publicKey = isOpen ? publicKeyInfo(readPrivateKey(item.bytes, path, passphrase)) : undefined;
  return { source: path, kind: 'private-key', encrypted, publicKey };
}

function inspectPublicKey(der: Buffer, path: string): PublicKeyInfo {
  try {
    const reader = new DerReader(der);
    const publicKey = readPublicKeyInfo(reader);
    reader.end();
    return publicKey;
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('KEY_UNREADABLE', { path, problem: `a public key that is ${error.message}` }, { cause: error });
  }
}

function inspectPkcs12(der: Buffer, path: string, passphrase: string | undefined): Inspected[] {
  const from = { source: path, container: 'PKCS#12' } as const;
  try {
    const { certificates, keys } = readPkcs12(der, passphrase ?? '', path);
    return [
      ...certificates.map((value): Inspected => ({ ...from, kind: 'certificate', value })),
      ...keys.map((key): Inspected => ({ ...from, kind: 'private-key', encrypted: true, publicKey: publicKeyInfo(key) })),
    ];
  } catch (error) {
    if (passphrase === undefined && isError(error, 'PASSPHRASE_WRONG'))
      throw new MtlsError('KEY_ENCRYPTED', { path, remedy: openWithPassphrase(`mtls inspect ${shellWord(path)}`) }, { cause: error });
    throw error;
  }
}

/** One thing that can be written down again. */
export interface Exportable {
  readonly label: string;
  readonly der: Buffer;
}

/** What was found, to be encoded again; undefined for a private key, which never is, and for what was not read. */
export function exportOf(item: Inspected): Exportable | undefined {
  switch (item.kind) {
    case 'certificate':
      return { label: 'CERTIFICATE', der: item.value.der };
    case 'crl':
      return { label: 'X509 CRL', der: item.value.der };
    case 'csr':
      return { label: 'CERTIFICATE REQUEST', der: item.value.der };
    case 'public-key':
      return { label: 'PUBLIC KEY', der: item.publicKey.der };
    case 'private-key':
    case 'unknown':
      return undefined;
  }
}

/** PEM of all that can be encoded again, certificates first. */
export function pemOf(items: readonly Inspected[]): string {
  const exported = items.flatMap((item) => exportOf(item) ?? []);
  const isCertificate = ({ label }: Exportable): boolean => label === 'CERTIFICATE';
  const inOrder = [...exported.filter(isCertificate), ...exported.filter((one) => !isCertificate(one))];
  return inOrder.map(({ label, der }) => toPem(label, der)).join('');
}

/** Something that whoever made it may not have meant. */
export interface Oddity {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
}

/** A SPIFFE ID, taken apart. */
interface Identity {
  readonly id: string;
  readonly trustDomain: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** What only rooms above this one know of a certificate. */
export interface Advice {
  readonly now: Date;
  /** Whom the certificate speaks for; undefined when it has no SPIFFE ID. */
  readonly identityOf: (certificate: Certificate) => Identity | undefined;
  /** What is odd about it, given who issued it; undefined where nobody looked. */
  readonly oddIn: (
    item: Extract<Inspected, { kind: 'certificate' | 'crl' }>,
    issuer: Certificate | undefined,
  ) => readonly Oddity[] | undefined;
}

/** What was found, in JSON: the contract's fields, with the words that people use beside them, and what belongs to what. */
export type InspectionView = { readonly source: string; readonly container?: string } & (
  | ({ readonly kind: 'certificate' } & CertificateView)
  | {
      readonly kind: 'crl';
      readonly issuer: string;
      readonly signature: string;
      readonly daysLeft: number | null;
      readonly issuedBy: string | null;
      readonly issuerLookedFor: boolean;
      readonly fields: ReturnType<typeof crlFields>;
      readonly details: ReturnType<typeof crlDetails>;
      readonly odd: readonly Oddity[] | null;
    }
  | {
      readonly kind: 'csr';
      readonly subject: string;
      readonly key: string;
      /** Is it signed by the key that it asks for? */
      readonly signedByKey: boolean;
      readonly purposes: readonly string[];
      readonly fields: ReturnType<typeof csrFields>;
      readonly details: ReturnType<typeof csrDetails>;
    }
  | {
      readonly kind: 'private-key' | 'public-key';
      /** null when it is encrypted and was not opened. */
      readonly key: string | null;
      readonly fields: { readonly encrypted?: boolean; readonly keyType: string | null; readonly keyBits: number | null };
      readonly details: ReturnType<typeof keyPins> | null;
      /** The certificates and requests at hand that have this key; null when there are none to compare with, or it is closed. */
      readonly belongsTo: readonly string[] | null;
    }
  | { readonly kind: 'unknown'; readonly label: string }
);

interface CertificateView {
  readonly subject: string;
  readonly issuer: string;
  readonly label: string;
  readonly key: string;
  readonly signature: string;
  /** null where nobody looked: too many certificates, or keys that take too long. */
  readonly selfSigned: boolean | null;
  /** Signed itself, and is a CA. */
  readonly root: boolean;
  readonly purposes: readonly string[];
  /** Whole days until its end; negative after it. */
  readonly daysLeft: number;
  readonly identity: Identity | null;
  /** Where its issuer was found, proven by the signature; null when it was not. */
  readonly issuedBy: string | null;
  /** Was it looked for at all? */
  readonly issuerLookedFor: boolean;
  /** The places of all its issuers among the items, itself left out. */
  readonly issuers: readonly number[];
  readonly fields: ReturnType<typeof certificateFields>;
  readonly details: ReturnType<typeof certificateDetails>;
  readonly odd: readonly Oddity[] | null;
}

/** Describes all that was found together: a key belongs to a certificate, a certificate is issued by another. */
export function describeInspected(items: readonly Inspected[], advice: Advice): InspectionView[] {
  const finds = new Finds(items);
  return items.map((item): InspectionView => {
    const { source } = item;
    const from = { source, ...(item.container === undefined ? {} : { container: item.container }) };
    switch (item.kind) {
      case 'certificate':
        return { ...from, kind: item.kind, ...describeCertificate(item, finds, advice) };
      case 'crl': {
        const signers = finds.relations.signersOf(item.value);
        return {
          ...from,
          kind: item.kind,
          issuer: formatName(item.value.issuer),
          signature: signatureName(item.value.signatureAlgorithm),
          daysLeft: item.value.nextUpdate === undefined ? null : daysUntil(item.value.nextUpdate, advice.now),
          issuedBy: signers?.[0] === undefined ? null : finds.sourceOf(signers[0]),
          issuerLookedFor: signers !== undefined,
          fields: crlFields(item.value),
          details: crlDetails(item.value),
          odd: advice.oddIn(item, signers?.[0]) ?? null,
        };
      }
      case 'csr': {
        const details = csrDetails(item.value);
        return {
          ...from,
          kind: item.kind,
          subject: formatName(item.value.subject),
          key: describeKey(item.value.publicKey),
          signedByKey: provesPossession(item.value),
          purposes: details.asksFor.eku.map(oidName),
          fields: csrFields(item.value),
          details,
        };
      }
      case 'unknown':
        return item;
      case 'private-key':
      case 'public-key':
        return { ...from, kind: item.kind, ...describeKeyItem(item), belongsTo: finds.ownersOf(item) };
    }
  });
}

function describeCertificate(
  item: Extract<Inspected, { kind: 'certificate' }>,
  finds: Finds,
  { now, identityOf, oddIn }: Advice,
): CertificateView {
  const certificate = item.value;
  const selfSigned = finds.relations.isSelfSigned(certificate);
  const issuers = finds.relations.issuersOf(certificate);
  const issuer = selfSigned === true ? certificate : issuers?.[0];
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    label: labelOf(certificate.subject),
    key: describeKey(certificate.publicKey),
    signature: signatureName(certificate.signatureAlgorithm),
    selfSigned: selfSigned ?? null,
    root: selfSigned === true && certificate.basicConstraints?.ca === true,
    purposes: (certificate.extendedKeyUsage ?? []).map(oidName),
    daysLeft: daysUntil(certificate.notAfter, now),
    identity: identityOf(certificate) ?? null,
    issuedBy: issuer === undefined ? null : issuer === certificate ? item.source : finds.sourceOf(issuer),
    issuerLookedFor: selfSigned !== undefined && issuers !== undefined,
    issuers: (issuers ?? []).map((one) => finds.placeOf(one)),
    fields: certificateFields(certificate),
    details: certificateDetails(certificate),
    odd: oddIn(item, issuer) ?? null,
  };
}

const daysUntil = (end: number, now: Date): number => Math.floor((end - now.getTime()) / DAY);

type KeyItem = Extract<Inspected, { kind: 'private-key' | 'public-key' }>;

function describeKeyItem(item: KeyItem) {
  const { publicKey } = item;
  const fields = {
    ...(item.kind === 'private-key' ? { encrypted: item.encrypted } : {}),
    keyType: publicKey?.type ?? null,
    keyBits: publicKey?.bits ?? null,
  };
  const details = publicKey === undefined ? null : keyPins(publicKey);
  return { key: publicKey === undefined ? null : describeKey(publicKey), fields, details };
}

/** All that was found together, to be asked who belongs to whom. */
class Finds {
  readonly relations: Relations;
  readonly #items: readonly Inspected[];
  readonly #places: ReadonlyMap<Certificate, number>;
  /** Those that have a key of their own. */
  readonly #holders: readonly { readonly publicKey: PublicKeyInfo; readonly source: string }[];

  constructor(items: readonly Inspected[]) {
    this.#items = items;
    const places = new Map<Certificate, number>();
    for (const [place, item] of items.entries()) if (item.kind === 'certificate' && !places.has(item.value)) places.set(item.value, place);
    this.#places = places;
    this.relations = new Relations([...this.#places.keys()]);
    this.#holders = items.flatMap((item) =>
      item.kind === 'certificate' || item.kind === 'csr' ? [{ publicKey: item.value.publicKey, source: item.source }] : [],
    );
  }

  placeOf(certificate: Certificate): number {
    return this.#places.get(certificate)!;
  }

  sourceOf(certificate: Certificate): string {
    return this.#items[this.placeOf(certificate)]!.source;
  }

  ownersOf({ publicKey }: KeyItem): string[] | null {
    if (publicKey === undefined || this.#holders.length === 0) return null;
    const owners = this.relations.holdersOf(publicKey, this.#holders);
    return owners === undefined ? null : [...new Set(owners.map(({ source }) => source))];
  }
}
