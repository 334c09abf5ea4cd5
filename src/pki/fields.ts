import type { Json } from '../base/json.js';
import { valuesOf } from './name.js';
import { type Certificate, fingerprint } from './certificate.js';
import { type Crl, countRevoked, revokedEntries } from './crl.js';
import type { Csr } from './csr.js';
import { OID } from './oids.js';

/** The fields of a certificate by stable names: `inspect --json` and `inspect --batch` print them. Times in ISO 8601, octets in hex. */
export function certificateFields(certificate: Certificate) {
  const { subjectAltName: names, publicKey, basicConstraints } = certificate;
  return {
    serial: serialText(certificate.serial),
    version: certificate.version,
    notBefore: isoTime(certificate.notBefore),
    notAfter: isoTime(certificate.notAfter),
    sha256: fingerprint(certificate),
    sigAlgOid: certificate.signatureAlgorithm.oid,
    cn: valuesOf(certificate.subject, OID.commonName),
    issuerCn: valuesOf(certificate.issuer, OID.commonName),
    keyType: publicKey.type,
    keyBits: publicKey.bits,
    extensions: certificate.extensions.map(({ oid, critical }) => [oid, critical] as const),
    ca: basicConstraints?.ca ?? false,
    pathLen: basicConstraints?.pathLength ?? null,
    keyUsage: certificate.keyUsage ?? [],
    eku: certificate.extendedKeyUsage ?? [],
    dns: names.dns,
    ip: names.ip,
    uri: names.uri,
    email: names.email,
    ski: certificate.subjectKeyId ?? null,
  } satisfies Record<string, Json>;
}

/** The fields of a CRL: how many entries, and the first five of them. */
export function crlFields(crl: Crl) {
  const revoked: (readonly [string, string])[] = [];
  for (const { serial, date } of revokedEntries(crl)) {
    if (revoked.length === 5) break;
    revoked.push([serialText(serial), isoTime(date)]);
  }
  return {
    thisUpdate: isoTime(crl.thisUpdate),
    nextUpdate: crl.nextUpdate === undefined ? null : isoTime(crl.nextUpdate),
    sigAlgOid: crl.signatureAlgorithm.oid,
    issuerCn: valuesOf(crl.issuer, OID.commonName),
    revokedCount: countRevoked(crl),
    revoked,
    crlNumber: crl.number === undefined ? null : serialText(crl.number),
  } satisfies Record<string, Json>;
}

/** The fields of a certification request. */
export function csrFields({ subject, signatureAlgorithm, publicKey, subjectAltName }: Csr) {
  return {
    cn: valuesOf(subject, OID.commonName),
    sigAlgOid: signatureAlgorithm.oid,
    keyType: publicKey.type,
    keyBits: publicKey.bits,
    dns: subjectAltName.dns,
    ip: subjectAltName.ip,
    uri: subjectAltName.uri,
  } satisfies Record<string, Json>;
}

/** An INTEGER's octets as people and other tools write a serial number: without the octet that only says "positive". */
export function serialText(octets: string): string {
  return octets.length > 2 && octets.startsWith('00') ? octets.slice(2) : octets;
}

/** ISO 8601 in UTC, to the second: X.509 knows no less. */
export function isoTime(time: number | Date): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
