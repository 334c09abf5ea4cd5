import { type KeyObject, createHash, sign } from 'node:crypto';
import type { Certificate } from '../../src/pki/certificate.js';
import { TAG, contextConstructed } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  element,
  embed,
  enumerated,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  toDer,
} from '../../src/pki/encode.js';
import { type OcspResponse, readOcspResponse } from '../../src/pki/ocsp.js';
import type { Signer } from '../../src/pki/sign.js';
import { HOUR, type Scheme, schemeOf, shifted } from './chains.js';

/** An OCSP response as a test wants it, good or bad: an hour old, an hour to go, signed by the issuer, good. */
export interface OcspRecipe {
  readonly about: Certificate;
  readonly issuer: Signer;
  /** Who answers, when it is not the issuer; its certificate is sent unless `withoutCertificate`. */
  readonly by?: Signer;
  readonly signedBy?: KeyObject;
  readonly scheme?: Scheme;
  readonly withoutCertificate?: boolean;
  /** Certificates that are sent before its own. */
  readonly before?: readonly Certificate[];
  readonly byKeyHash?: boolean;
  readonly status?: 'good' | 'unknown' | { readonly revoked: Date; readonly reason?: number };
  readonly thisUpdate?: Date;
  /** null: no next update. */
  readonly nextUpdate?: Date | null;
  readonly hash?: 'sha1' | 'sha256';
  readonly extensions?: readonly Node[];
}

const HASHES = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const;

export const ocspOf = (recipe: OcspRecipe): OcspResponse => readOcspResponse(ocspDer(recipe));

export function ocspDer(recipe: OcspRecipe): Buffer {
  const { about, issuer, by = issuer, thisUpdate = shifted(-HOUR), nextUpdate = shifted(HOUR), hash = 'sha1', extensions = [] } = recipe;
  const digest = (octets: Buffer, name = hash): Buffer => createHash(name).update(octets).digest();
  const key = recipe.signedBy ?? by.key;
  const scheme = recipe.scheme ?? schemeOf(key);
  const certId = sequence(
    algorithm(HASHES[hash], true),
    octetString(digest(issuer.certificate.subject.der)),
    octetString(digest(issuer.certificate.publicKey.key)),
    integer(Buffer.from(about.serial, 'hex')),
  );
  const single = sequence(
    certId,
    statusOf(recipe.status ?? 'good'),
    generalized(thisUpdate),
    ...(nextUpdate === null ? [] : [explicit(0, generalized(nextUpdate))]),
  );
  const responder =
    recipe.byKeyHash === true
      ? explicit(2, octetString(digest(by.certificate.publicKey.key, 'sha1')))
      : explicit(1, embed(by.certificate.subject.der));
  const tbs = toDer(
    sequence(
      responder,
      generalized(thisUpdate),
      sequence(single),
      ...(extensions.length === 0 ? [] : [explicit(1, sequence(...extensions))]),
    ),
  );
  const sent =
    by === issuer || recipe.withoutCertificate === true
      ? []
      : [explicit(0, sequence(...[...(recipe.before ?? []), by.certificate].map(({ der }) => embed(der))))];
  const basic = toDer(
    sequence(embed(tbs), algorithm(scheme.oid, scheme.nullParameters), bitString(sign(scheme.digest, tbs, key)), ...sent),
  );
  return toDer(sequence(enumerated(0), explicit(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic)))));
}

function statusOf(status: NonNullable<OcspRecipe['status']>): Node {
  if (status === 'good') return implicit(0, Buffer.alloc(0));
  if (status === 'unknown') return implicit(2, Buffer.alloc(0));
  const reason = status.reason === undefined ? [] : [toDer(explicit(0, enumerated(status.reason)))];
  return embed(element(contextConstructed(1), [toDer(generalized(status.revoked)), ...reason]));
}

/** OCSP has GeneralizedTime alone (RFC 6960 §4.2.1). */
function generalized(date: Date): Node {
  const text = date
    .toISOString()
    .replace(/\.\d{3}/, '')
    .replace(/[-:T]/g, '');
  return embed(element(TAG.generalizedTime, [Buffer.from(text)]));
}
