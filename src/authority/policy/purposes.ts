import { MtlsError } from '../../errors.js';
import { OID, oidName } from '../../pki/oids.js';

/** Purposes by the names that a policy and a profile may use (RFC 5280 §4.2.1.12); any other is an object identifier. */
const PURPOSES: Readonly<Record<string, string>> = {
  serverAuth: OID.serverAuth,
  clientAuth: OID.clientAuth,
  codeSigning: OID.codeSigning,
  emailProtection: OID.emailProtection,
  timeStamping: OID.timeStamping,
};

export const PURPOSE_NAMES: readonly string[] = Object.keys(PURPOSES);

/** Not for services: whoever signs OCSP responses speaks for the CA (RFC 6960 §4.2.2.2), and anyExtendedKeyUsage limits nothing. */
const NEVER: readonly string[] = [OID.ocspSigning, OID.anyExtendedKeyUsage];

/** The object identifier of a purpose (X.660: the first arc is 0 to 2, the second below 40 under 0 and 1). Throws VALUE_INVALID. */
export function asPurpose(text: string): string {
  const oid = Object.hasOwn(PURPOSES, text) ? PURPOSES[text]! : text;
  if (NEVER.includes(oid))
    throw new MtlsError('VALUE_INVALID', { what: 'purpose', found: text, expected: `a purpose of a service, not ${oidName(oid)}` });
  if (oid.length <= 128 && /^(?:[01]\.(?:[0-9]|[123][0-9])|2\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))+$/.test(oid)) return oid;
  const expected = `one of ${PURPOSE_NAMES.join(', ')}, or an object identifier such as 1.3.6.1.5.5.7.3.1`;
  throw new MtlsError('VALUE_INVALID', { what: 'purpose', found: text, expected });
}
