/** What can be wrong with a certificate or its path: stable codes, each with the rule that it breaks. Closed. */
export const FINDINGS = {
  CERT_MALFORMED: 'not a certificate as RFC 5280 §4.1 has it',
  CERT_EXPIRED: 'out of date (RFC 5280 §6.1.3 a 2)',
  CERT_NOT_YET_VALID: 'its time has not come (RFC 5280 §6.1.3 a 2)',
  ISSUER_NOT_FOUND: 'no certificate at hand issued it (RFC 5280 §6.1)',
  SELF_SIGNED_UNTRUSTED: 'self-signed and not among the trust anchors (RFC 5280 §6.1.1 d)',
  SIGNATURE_INVALID: 'not signed by the key of its issuer (RFC 5280 §6.1.3 a 1)',
  SIGNATURE_UNSUPPORTED: 'a signature algorithm that is unknown or does not fit its key (RFC 5280 §4.1.1.2)',
  ALGORITHM_MISMATCH: 'the algorithm inside and outside of the signed part differ (RFC 5280 §4.1.1.2)',
  WEAK_SIGNATURE: 'signed with SHA-1, MD5 or a digest nobody should use (RFC 9155)',
  WEAK_KEY: 'a key too small or of a type nobody should use (NIST SP 800-131A)',
  NOT_A_CA: 'signs certificates and is no CA (RFC 5280 §6.1.4 k)',
  KEY_CERT_SIGN_MISSING: 'signs certificates without the key usage keyCertSign (RFC 5280 §6.1.4 n)',
  PATH_LENGTH_EXCEEDED: 'more CAs below it than its path length allows (RFC 5280 §6.1.4 l, m)',
  CRITICAL_EXTENSION_UNSUPPORTED: 'a critical extension that is not supported here: refused (RFC 5280 §4.2)',
  EXTENDED_KEY_USAGE: 'not for this purpose (RFC 5280 §4.2.1.12)',
  KEY_USAGE: 'its key may not be used this way (RFC 5280 §4.2.1.3)',
  NAME_MISMATCH: 'the name is not in the subject alternative name (RFC 9525 §6)',
  NAME_CONSTRAINT: 'a name that a CA above it may not issue for (RFC 5280 §4.2.1.10)',
  EXTENSION_MALFORMED: 'an extension that is not what RFC 5280 §4.2.1 has it',
  POLICY_NOT_VALID: 'no certificate policy holds along the path, and one is needed (RFC 5280 §6.1.3 f, §6.1.5 g)',
  POLICY_MAPPING_ANY: 'maps to or from anyPolicy (RFC 5280 §6.1.4 a)',
  CERT_REVOKED: 'revoked (RFC 5280 §6.3)',
  CRL_NOT_FOUND: 'no CRL of its issuer at hand (RFC 5280 §6.3.3)',
  CRL_EXPIRED: 'the CRL is out of date (RFC 5280 §5.1.2.5)',
  CRL_NOT_YET_VALID: "the CRL's time has not come (RFC 5280 §5.1.2.4)",
  CRL_SIGNATURE_INVALID: 'the CRL is not signed by the key of its issuer (RFC 5280 §6.3.3 g)',
  CRL_SIGN_MISSING: 'the issuer of the CRL lacks the key usage cRLSign (RFC 5280 §6.3.3 f)',
  CRL_UNSUPPORTED: 'a delta or indirect CRL, or one with an unknown critical extension: refused (RFC 5280 §5.2)',
  CRL_MALFORMED: 'not a CRL as RFC 5280 §5.1 has it',
  SEARCH_LIMIT: 'more paths than are tried',
  OCSP_MALFORMED: 'not an OCSP response as RFC 6960 §4.2.1 has it',
  OCSP_UNUSABLE: 'an OCSP response that cannot be relied on (RFC 6960 §3.2)',
} as const;

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
