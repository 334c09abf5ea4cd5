import type { MtlsError } from '../../errors.js';
import { type Certificate, isSelfSigned } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { OID } from '../../pki/oids.js';
import { type CertificateEncoding, type CrlEncoding, certificateEncoding, crlEncoding } from './encoding.js';
import { type EntrySurvey, surveyEntries } from './entries.js';
import { type DnsSurvey, surveyDns } from './hosts.js';
import { spiffeUrisOf } from './spiffe.js';
import { type ExtensionValues, type RsaKey, readRsaKey, readValues } from './values.js';

/** Bytes that promise a certificate or a CRL and are none by the strict reader. */
export interface UnreadableSubject {
  readonly of: 'certificate' | 'crl';
  readonly der: Buffer;
  readonly error: MtlsError<'CERTIFICATE_MALFORMED' | 'CRL_MALFORMED'>;
}

/** A certificate, with what several rules ask of it. */
export interface CertificateSubject {
  readonly certificate: Certificate;
  /** The instant to judge for. */
  readonly at: number;
  /** Who issued it, proven by the signature, when that is among the certificates at hand. */
  readonly issuer: Certificate | undefined;
  /** Who should have issued it, by name and key identifier, and did not sign it. */
  readonly impostor: Certificate | undefined;
  readonly isCa: boolean;
  /** Of version 3, and neither is nor claims to be a CA. */
  readonly isLeaf: boolean;
  readonly isSelfSigned: boolean;
  readonly encoding: CertificateEncoding;
  readonly values: ExtensionValues;
  /** Why values of extensions cannot be read. */
  readonly faults: readonly string[];
  readonly dns: DnsSurvey;
  readonly rsa: RsaKey | undefined;
  /** The URIs that say that they are SPIFFE IDs, good or bad. */
  readonly spiffeUris: readonly string[];
}

/** Where a certificate stands among others. */
export interface Standing {
  readonly issuer?: Certificate | undefined;
  readonly impostor?: Certificate | undefined;
}

export function certificateSubject(certificate: Certificate, at: Date, { issuer, impostor }: Standing = {}): CertificateSubject {
  const isCa = certificate.basicConstraints?.ca === true;
  return {
    ...{ certificate, at: at.getTime(), issuer, impostor, isCa },
    isLeaf: certificate.version === 3 && !isCa && certificate.keyUsage?.includes('keyCertSign') !== true,
    isSelfSigned: isSelfSigned(certificate),
    encoding: certificateEncoding(certificate.tbs),
    ...readValues(certificate.extensions),
    dns: surveyDns(certificate.subjectAltName.dns),
    rsa: readRsaKey(certificate.publicKey),
    spiffeUris: spiffeUrisOf(certificate),
  };
}

/** The certificates of one file. */
export interface ChainSubject {
  readonly certificates: readonly Certificate[];
  /** The first that is no CA; undefined for a bundle of CAs, which has no order. */
  readonly leaf: Certificate | undefined;
  /** From the leaf up, each issued by the next, as far as the certificates at hand go. */
  readonly path: readonly Certificate[];
  /** Every certificate on any path from the leaf. */
  readonly related: ReadonlySet<Certificate>;
  /** Which of them signed themselves. */
  readonly selfSigned: ReadonlySet<Certificate>;
}

/** A CRL, with what several rules ask of it. */
export interface CrlSubject {
  readonly crl: Crl;
  readonly at: number;
  readonly isDelta: boolean;
  readonly encoding: CrlEncoding;
  readonly values: ExtensionValues;
  readonly faults: readonly string[];
  readonly entries: EntrySurvey;
}

/** Throws CRL_MALFORMED for an entry that is none. */
export function crlSubject(crl: Crl, at: Date): CrlSubject {
  const isDelta = crl.extensions.some(({ oid }) => oid === OID.deltaCrlIndicator);
  const encoding = crlEncoding(crl.tbs);
  return { crl, at: at.getTime(), isDelta, encoding, ...readValues(crl.extensions), entries: surveyEntries(crl) };
}
