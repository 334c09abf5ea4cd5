/** What can be wrong with a certificate or its path: stable codes, each with the rule that it breaks. Closed. */
export const FINDINGS = {
  CERT_MALFORMED: { meaning: 'not a certificate as RFC 5280 §4.1 has it', source: null },
  CERT_EXPIRED: { meaning: 'out of date', source: 'RFC 5280 §6.1.3 a 2' },
  CERT_NOT_YET_VALID: { meaning: 'its time has not come', source: 'RFC 5280 §6.1.3 a 2' },
  ISSUER_NOT_FOUND: { meaning: 'no certificate at hand issued it', source: 'RFC 5280 §6.1' },
  SELF_SIGNED_UNTRUSTED: { meaning: 'self-signed and not among the trust anchors', source: 'RFC 5280 §6.1.1 d' },
  SIGNATURE_INVALID: { meaning: 'not signed by the key of its issuer', source: 'RFC 5280 §6.1.3 a 1' },
  SIGNATURE_UNSUPPORTED: { meaning: 'a signature algorithm that is unknown or does not fit its key', source: 'RFC 5280 §4.1.1.2' },
  ALGORITHM_MISMATCH: { meaning: 'the algorithm inside and outside of the signed part differ', source: 'RFC 5280 §4.1.1.2' },
  WEAK_SIGNATURE: { meaning: 'signed with SHA-1, MD5 or a digest nobody should use', source: 'RFC 9155' },
  WEAK_KEY: { meaning: 'a key too small or of a type nobody should use', source: 'NIST SP 800-131A' },
  NOT_A_CA: { meaning: 'signs certificates and is no CA', source: 'RFC 5280 §6.1.4 k' },
  KEY_CERT_SIGN_MISSING: { meaning: 'signs certificates without the key usage keyCertSign', source: 'RFC 5280 §6.1.4 n' },
  PATH_LENGTH_EXCEEDED: { meaning: 'more CAs below it than its path length allows', source: 'RFC 5280 §6.1.4 l, m' },
  CRITICAL_EXTENSION_UNSUPPORTED: { meaning: 'a critical extension that is not supported here: refused', source: 'RFC 5280 §4.2' },
  EXTENDED_KEY_USAGE: { meaning: 'not for this purpose', source: 'RFC 5280 §4.2.1.12' },
  KEY_USAGE: { meaning: 'its key may not be used this way', source: 'RFC 5280 §4.2.1.3' },
  NAME_MISMATCH: { meaning: 'the name is not in the subject alternative name', source: 'RFC 9525 §6' },
  NAME_CONSTRAINT: { meaning: 'a name that a CA above it may not issue for', source: 'RFC 5280 §4.2.1.10' },
  EXTENSION_MALFORMED: { meaning: 'an extension that is not what RFC 5280 §4.2.1 has it', source: null },
  POLICY_NOT_VALID: { meaning: 'no certificate policy holds along the path, and one is needed', source: 'RFC 5280 §6.1.3 f, §6.1.5 g' },
  POLICY_MAPPING_ANY: { meaning: 'maps to or from anyPolicy', source: 'RFC 5280 §6.1.4 a' },
  CERT_REVOKED: { meaning: 'revoked', source: 'RFC 5280 §6.3' },
  CRL_NOT_FOUND: { meaning: 'no CRL of its issuer at hand', source: 'RFC 5280 §6.3.3' },
  CRL_EXPIRED: { meaning: 'the CRL is out of date', source: 'RFC 5280 §5.1.2.5' },
  CRL_NOT_YET_VALID: { meaning: "the CRL's time has not come", source: 'RFC 5280 §5.1.2.4' },
  CRL_SIGNATURE_INVALID: { meaning: 'the CRL is not signed by the key of its issuer', source: 'RFC 5280 §6.3.3 g' },
  CRL_SIGN_MISSING: { meaning: 'the issuer of the CRL lacks the key usage cRLSign', source: 'RFC 5280 §6.3.3 f' },
  CRL_UNSUPPORTED: { meaning: 'a delta or indirect CRL, or one with an unknown critical extension: refused', source: 'RFC 5280 §5.2' },
  CRL_MALFORMED: { meaning: 'not a CRL as RFC 5280 §5.1 has it', source: null },
  SEARCH_LIMIT: { meaning: 'more paths than are tried', source: null },
  OCSP_MALFORMED: { meaning: 'not an OCSP response as RFC 6960 §4.2.1 has it', source: null },
  OCSP_UNUSABLE: { meaning: 'an OCSP response that cannot be relied on', source: 'RFC 6960 §3.2' },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly source: string | null }>>;

/** The code of a finding; stable, part of the contract. */
export type FindingCode = keyof typeof FINDINGS;

/** One thing that is wrong: which rule, what was expected and found, and with which certificate (its subject, for people). */
export interface Finding {
  readonly code: FindingCode;
  readonly message: string;
  readonly subject?: string;
  /** Its place in the path; the leaf is 0. */
  readonly at?: number;
}
