import { type AlgorithmIdentifier, type PublicKeyInfo, describeKey, signatureDigest, signatureName } from '../../pki/algorithms.js';
import { OID } from '../../pki/oids.js';

const NULL_PARAMETERS: ReadonlySet<string> = new Set([
  ...[OID.md5WithRsa, OID.sha1WithRsa, OID.sha224WithRsa, OID.sha256WithRsa, OID.sha384WithRsa, OID.sha512WithRsa],
]);
const NO_PARAMETERS: ReadonlySet<string> = new Set([
  ...[OID.ecdsaWithSha1, OID.ecdsaWithSha224, OID.ecdsaWithSha256, OID.ecdsaWithSha384, OID.ecdsaWithSha512],
  ...[OID.ed25519, OID.ed448, OID.dsaWithSha1, OID.dsaWithSha256],
]);

/** What is wrong with the parameters of a signature algorithm: NULL for RSA (RFC 4055 §5), none for the others (RFC 5758 §3.2, RFC 8410 §3). */
export function parametersFault(algorithm: AlgorithmIdentifier): string[] {
  const found = kindOf(algorithm.parameters);
  const expected = NULL_PARAMETERS.has(algorithm.oid) ? 'NULL' : NO_PARAMETERS.has(algorithm.oid) ? 'none' : found;
  return expected === found ? [] : [`expected ${expected} as parameters of ${signatureName(algorithm)}, found ${found}`];
}

/** The same for the algorithm of a key (RFC 3279 §2.3.1, RFC 8410 §3). */
export function keyParametersFault(key: PublicKeyInfo): string[] {
  const { oid, parameters } = key.algorithm;
  const found = kindOf(parameters);
  const expected = oid === OID.rsaEncryption ? 'NULL' : oid === OID.ed25519 || oid === OID.ed448 ? 'none' : found;
  return expected === found ? [] : [`expected ${expected} as parameters of a key ${describeKey(key)}, found ${found}`];
}

const kindOf = (parameters: Buffer | undefined): string =>
  parameters === undefined ? 'none' : parameters.length === 2 && parameters[0] === 5 ? 'NULL' : 'others';

/** Does a signature rest on MD5 or SHA-1? */
export function isBroken(algorithm: AlgorithmIdentifier): boolean {
  const digest = signatureDigest(algorithm);
  return digest === 'md5' || digest === 'sha1';
}
