import type { KeyObject } from 'node:crypto';
import { describeKey } from '../pki/algorithms.js';
import { type Certificate, isSelfSigned, isSignedBy } from '../pki/certificate.js';
import { type Crl, findRevoked } from '../pki/crl.js';
import { isKeyOf } from '../pki/key.js';
import { serialText } from '../pki/fields.js';
import { formatName, labelOf } from '../pki/name.js';
import { crlFault, isCrlOf } from '../validate/crl-faults.js';
import { verify } from '../validate/verify.js';
import { SIGNATURE_SCHEMES, nameOf } from './codepoints.js';
import { type Fault, type Translation, expiredEvidence, fact, iso, looksIntermediate, translate } from './examine.js';
import { type ClientIdentity, whyNotPresentable } from './handshake.js';
import { type CertificateRequest, TLS13 } from './messages.js';

/** What the client's own files show, alone and beside what the server asked for. */
export interface ClientExamination {
  readonly leaf: Certificate;
  /** Can it be presented at all? */
  readonly presentable: boolean;
  /** Is an issuer of the chain among the CAs that the server names? undefined when it names none, or was not heard. */
  readonly issuerAccepted: boolean | undefined;
  /** Does the chain lead to a CA of `--ca`, names and keys? */
  readonly anchored: boolean;
  /** Likeliest to be minded first. */
  readonly faults: readonly Fault[];
}

interface ClientQuestion {
  readonly authorities: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly at: Date;
  readonly request: CertificateRequest | undefined;
  readonly version: number;
  /** What the server sent: it may hold the certificate that we miss. */
  readonly serverChain: readonly Certificate[];
}

const CLIENT_FAULTS: Translation = {
  EXTENDED_KEY_USAGE: { leaf: 'CLIENT_CERT_WRONG_EKU', above: 'CLIENT_CERT_WRONG_EKU' },
  KEY_USAGE: { leaf: 'CLIENT_CERT_WRONG_KEY_USAGE', above: 'CLIENT_CERT_WRONG_KEY_USAGE' },
  NOT_A_CA: { leaf: 'CLIENT_ISSUER_NOT_CA', above: 'CLIENT_ISSUER_NOT_CA' },
  KEY_CERT_SIGN_MISSING: { leaf: 'CLIENT_ISSUER_NOT_CA', above: 'CLIENT_ISSUER_NOT_CA' },
  PATH_LENGTH_EXCEEDED: { leaf: 'CLIENT_PATHLEN_EXCEEDED', above: 'CLIENT_PATHLEN_EXCEEDED' },
  SIGNATURE_INVALID: { leaf: 'CLIENT_CA_KEY_MISMATCH', above: 'CLIENT_CA_KEY_MISMATCH' },
  WEAK_KEY: { leaf: 'CLIENT_CERT_WEAK_KEY', above: 'CLIENT_CERT_WEAK_KEY' },
  WEAK_SIGNATURE: { leaf: 'CLIENT_CERT_WEAK_SIGNATURE', above: 'CLIENT_CERT_WEAK_SIGNATURE' },
};

/** Examines the client's own certificates and key, before anybody else's opinion of them counts. */
export function examineClient(client: ClientIdentity, question: ClientQuestion): ClientExamination | undefined {
  const [leaf] = client.chain;
  if (leaf === undefined) return undefined;
  const issuerAccepted = isIssuerAccepted(client.chain, question.request);
  const keyFits = isKeyOf(client.key, leaf.publicKey);
  const problem = keyFits ? whyNotPresentable(client) : undefined;
  const path = examinePath(client.chain, question);
  const faults = [
    ...(keyFits ? [] : [fact('CLIENT_KEY_MISMATCH', keyEvidence(leaf, client.key))]),
    ...(problem === undefined ? [] : [fact('CLIENT_KEY_UNREADABLE', `OpenSSL will not present it: ${problem}`)]),
    ...schemeFaults(leaf, question),
    ...issuerFaults(client.chain, issuerAccepted, question),
    ...dateFaults(client.chain, question.at.getTime()),
    ...revocationFaults(client.chain, question),
    ...path.faults,
  ];
  const distinct = faults.filter((fault, i) => faults.findIndex(({ code }) => code === fault.code) === i);
  return { leaf, presentable: keyFits && problem === undefined, issuerAccepted, anchored: path.anchored, faults: distinct };
}

const keyEvidence = (leaf: Certificate, key: KeyObject): string =>
  `the certificate of ${labelOf(leaf.subject)} has a key ${describeKey(leaf.publicKey)}; the private key given is another one (${key.asymmetricKeyType ?? 'unknown'})`;

/** The issuer of any certificate of the chain counts: the server may name only its root. */
function isIssuerAccepted(chain: readonly Certificate[], request: CertificateRequest | undefined): boolean | undefined {
  if (request === undefined || request.authorities.length === 0) return undefined;
  return chain.some(({ issuer }) => request.authorities.some(({ der }) => der.equals(issuer.der)));
}

/** A client whose key fits none of the server's algorithms must send no certificate (RFC 8446 §4.4.2.3). */
function schemeFaults(leaf: Certificate, { request, version }: ClientQuestion): Fault[] {
  const offered = request?.signatureAlgorithms ?? [];
  if (offered.length === 0) return [];
  const names = offered.map((scheme) => nameOf(SIGNATURE_SCHEMES, scheme));
  const { type, curve } = leaf.publicKey;
  const fits = SCHEME_OF_KEY[type];
  if (fits === undefined || names.some((name) => fits(name, version, curve))) return [];
  return [fact('CLIENT_SIGALG_UNSUPPORTED', `the client's key is ${describeKey(leaf.publicKey)}; the server takes ${names.join(', ')}`)];
}

const SCHEME_CURVES: Readonly<Record<string, string>> = { 'P-256': 'secp256r1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' };

/** Which schemes a key can sign by. In TLS 1.3 an ECDSA scheme is bound to its curve, and PKCS#1 is gone (RFC 8446 §4.2.3). */
const SCHEME_OF_KEY: Readonly<Record<string, (scheme: string, version: number, curve: string | undefined) => boolean>> = {
  RSA: (scheme, version) => scheme.startsWith('rsa_pss_') || (version < TLS13 && scheme.startsWith('rsa_pkcs1_')),
  EC: (scheme, version, curve = '') => scheme.startsWith(version < TLS13 ? 'ecdsa_' : `ecdsa_${SCHEME_CURVES[curve] ?? curve}`),
  Ed25519: (scheme) => scheme === 'ed25519',
  Ed448: (scheme) => scheme === 'ed448',
};

function issuerFaults(chain: readonly Certificate[], accepted: boolean | undefined, question: ClientQuestion): Fault[] {
  const { authorities, request, serverChain } = question;
  const [leaf, top] = [chain[0]!, chain.at(-1)!];
  const namesake = authorities.find((authority) => authority.subject.der.equals(leaf.issuer.der));
  const listed = request?.authorities ?? [];
  const list = listed.length === 0 ? 'the server names no CA' : `the server accepts: ${few(listed.map(({ text }) => text))}`;
  if (isSelfSigned(leaf))
    return accepted === true ? [] : [fact('CLIENT_CERT_SELF_SIGNED', `${formatName(leaf.subject)} is signed by its own key; ${list}`)];
  if (namesake !== undefined && isSignedBy(leaf, namesake) === 'invalid') {
    const keys = `key id of the CA ${namesake.subjectKeyId ?? 'not told'}, of the issuer ${leaf.authorityKeyId ?? 'not told'}`;
    return [
      fact(
        'CLIENT_CA_KEY_MISMATCH',
        `${labelOf(leaf.subject)} names ${formatName(leaf.issuer)} as its issuer; the CA of that name in --ca did not sign it: ${keys}`,
      ),
    ];
  }
  if (accepted !== false) return [];
  const evidence = `the client's certificate is issued by ${formatName(leaf.issuer)}; ${list}`;
  const between = [...authorities, ...serverChain].find(
    (candidate) => candidate.subject.der.equals(top.issuer.der) && listed.some(({ der }) => der.equals(candidate.issuer.der)),
  );
  if (between !== undefined && !isSelfSigned(between) && isSignedBy(top, between) === 'valid')
    return [
      fact(
        'CLIENT_CHAIN_INCOMPLETE',
        evidence,
        `${formatName(between.subject)}, issued by ${formatName(between.issuer)}, would lead there and is not sent`,
      ),
    ];
  if (isSelfSigned(top)) return [fact('CLIENT_CERT_UNTRUSTED', evidence)];
  if (
    looksIntermediate(
      top.issuer,
      authorities.map(({ subject }) => subject),
    )
  ) {
    const guess = "by its name that is an intermediate, and it is not in the client's file";
    return [{ ...fact('CLIENT_CHAIN_INCOMPLETE', evidence, guess), confidence: 'likely', alternatives: ['CLIENT_CERT_UNTRUSTED'] }];
  }
  return [{ ...fact('CLIENT_CERT_UNTRUSTED', evidence), confidence: 'likely', alternatives: ['CLIENT_CHAIN_INCOMPLETE'] }];
}

function dateFaults(chain: readonly Certificate[], now: number): Fault[] {
  return chain.flatMap((certificate, i) => {
    if (now >= certificate.notBefore && now <= certificate.notAfter) return [];
    const whose = i === 0 ? "the client's certificate" : `the client's CA ${labelOf(certificate.subject)}`;
    const code = i > 0 ? 'CLIENT_CHAIN_EXPIRED' : now > certificate.notAfter ? 'CLIENT_CERT_EXPIRED' : 'CLIENT_CERT_NOT_YET_VALID';
    return [fact(code, expiredEvidence(whose, certificate, now))];
  });
}

/** By our own copy of a CRL, when its issuer is at hand and signed it; one out of date still tells who is revoked. */
function revocationFaults(chain: readonly Certificate[], { crls, authorities, at }: ClientQuestion): Fault[] {
  return chain.flatMap((certificate, i) => {
    const issuers = [...chain.slice(i + 1), ...authorities].filter(({ subject }) => subject.der.equals(certificate.issuer.der));
    for (const crl of crls) {
      const signer = issuers.find(
        (issuer) => isCrlOf(crl, issuer) && [undefined, 'CRL_EXPIRED'].includes(crlFault(crl, issuer, { at })?.code),
      );
      const entry = signer === undefined ? undefined : findRevoked(crl, certificate.serial);
      if (entry === undefined || entry.reason === 'removeFromCRL') continue;
      const reason = typeof entry.reason === 'string' ? entry.reason : 'no reason told';
      return [
        fact(
          'CLIENT_CERT_REVOKED',
          `serial ${serialText(certificate.serial)} was revoked ${iso(entry.date)} (${reason}), by the CRL of ${iso(crl.thisUpdate)}`,
        ),
      ];
    }
    return [];
  });
}

/** What a server would find along the path to the CAs at hand, or, without one, in the leaf alone. */
function examinePath(chain: readonly Certificate[], { authorities, at }: ClientQuestion): { anchored: boolean; faults: Fault[] } {
  const [leaf, ...intermediates] = chain as [Certificate, ...Certificate[]];
  const request = { leaf, intermediates, crls: [], purpose: 'client' as const, at };
  const whole = verify({ ...request, roots: authorities });
  const reached = whole.errors.every(({ code }) => code !== 'ISSUER_NOT_FOUND' && code !== 'SELF_SIGNED_UNTRUSTED');
  const { faults } = translate(reached ? whole : verify({ ...request, roots: [leaf] }), CLIENT_FAULTS, labelOf(leaf.subject));
  return { anchored: reached && whole.errors.every(({ code }) => code !== 'SIGNATURE_INVALID'), faults };
}

/** A list for people, cut where nobody reads on. */
const few = (items: readonly string[]): string =>
  items.length <= 6 ? items.join('; ') : `${items.slice(0, 6).join('; ')}; and ${items.length - 6} more`;
