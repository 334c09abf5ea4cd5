import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import type { OcspResponse } from '../pki/ocsp.js';
import type { Finding } from './findings.js';
import type { NameQuery } from './names.js';

/** What is asked: is `leaf` good, by these anchors, at this instant, for this purpose and name? */
export interface VerifyRequest {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  /** Trust anchors, self-signed or not; their own dates and constraints count. */
  readonly roots: readonly Certificate[];
  /** When there are any, or when there are OCSP responses, every certificate below the anchor must be shown not to be revoked. */
  readonly crls: readonly Crl[];
  readonly ocsp?: readonly OcspResponse[];
  /** CRLs were meant to be asked even where none of them could be read. */
  readonly revocation?: 'when given' | 'required';
  /** What cannot be told about revocation becomes a warning; a certificate that is revoked is refused all the same. */
  readonly softRevocation?: boolean;
  readonly purpose?: Purpose;
  readonly name?: NameQuery;
  readonly at: Date;
  /** How many intermediates a path may have, self-issued ones not counted; 8 unless told otherwise. */
  readonly maxDepth?: number;
  /** 2048 unless told otherwise. */
  readonly minRsaBits?: number;
  readonly allowSha1?: boolean;
  readonly policy?: PolicyInputs;
}

export type Purpose = 'server' | 'client';

/** The inputs about policies (RFC 5280 §6.1.1 c, e, f, g); absent ones are any-policy and false. */
export interface PolicyInputs {
  /** Object identifiers of user-initial-policy-set. */
  readonly initial?: readonly string[];
  readonly explicit?: boolean;
  readonly inhibitMapping?: boolean;
  readonly inhibitAny?: boolean;
}

/** The answer. `path` is the good path, or the most promising one: leaf first, anchor (where one was reached) last. */
export interface Verdict {
  readonly valid: boolean;
  readonly errors: readonly Finding[];
  /** What could not be told, where that was allowed (`softRevocation`). */
  readonly warnings: readonly Finding[];
  readonly path: readonly Certificate[];
  /** Does the path end at a trust anchor? */
  readonly anchored: boolean;
}

/** A way from the leaf up; `anchored` when its last certificate is a trust anchor. */
export interface Path {
  readonly certificates: readonly Certificate[];
  readonly anchored: boolean;
}
