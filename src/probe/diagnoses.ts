import type { Side, StageName } from './report.js';

interface DiagnosisEntry {
  readonly side: Side;
  /** The stage of the report that it belongs to. A fallback takes the stage that failed. */
  readonly stage: StageName;
  readonly meaning: string;
  /** The first thing to do about it. */
  readonly first: string;
  /** The code that would be true too and says less. */
  readonly lessExact: string | undefined;
}

const entry = (side: Side, stage: StageName, meaning: string, first: string, lessExact?: string): DiagnosisEntry => ({
  side,
  stage,
  meaning,
  first,
  lessExact,
});

/** Every diagnosis there is, closed; stable, part of the contract. `docs/diagnoses.md` is made from this table. */
export const DIAGNOSES = {
  // ---- all is well
  OK: entry('none', 'finished', 'handshake and request succeeded, client certificate asked for and accepted', 'nothing'),
  // ---- the network
  DNS_FAILED: entry('network', 'dns', 'the host name does not resolve', 'check the name and resolver'),
  TCP_REFUSED: entry('network', 'tcp', 'nothing listens on the port', 'start the server, check the port'),
  TCP_TIMEOUT: entry('network', 'tcp', 'SYN unanswered', 'check firewall and route'),
  TCP_CLOSED: entry(
    'network',
    'tcp',
    'peer closes before the client sends anything',
    'check access lists, a proxy without backend',
    'TLS_CLOSED_ON_HELLO',
  ),
  // ---- the first answer
  TLS_NO_ANSWER: entry('network', 'hello', 'TCP accepted, ClientHello never answered', 'is it a TLS port? is the server stuck?'),
  TLS_CLOSED_ON_HELLO: entry(
    'server',
    'hello',
    'peer closes or resets on the ClientHello, no alert',
    'middlebox, non-TLS service, SNI filter',
  ),
  PLAINTEXT_HTTP: entry('config', 'hello', 'the port speaks HTTP without TLS', 'use the TLS port', 'NOT_TLS'),
  STARTTLS_REQUIRED: entry(
    'config',
    'hello',
    'the service starts in clear text and upgrades',
    'use --starttls or the implicit-TLS port',
    'NOT_TLS',
  ),
  NOT_TLS: entry('config', 'hello', 'the answer is not TLS', 'check the port'),
  PROXY_PROTOCOL_REQUIRED: entry(
    'config',
    'hello',
    'the listener wants a PROXY protocol header first',
    'go through the load balancer or send the header',
    'TLS_CLOSED_ON_HELLO',
  ),
  TLS_VERSION_MISMATCH: entry('config', 'hello', 'no TLS version in common', 'align the versions'),
  TLS_NO_SHARED_CIPHER: entry('config', 'hello', 'no cipher suite in common', 'align the suites', 'TLS_HANDSHAKE_FAILED'),
  TLS_NO_SHARED_GROUP: entry('config', 'hello', 'no key-exchange group in common', 'align the groups', 'TLS_HANDSHAKE_FAILED'),
  ALPN_MISMATCH: entry('config', 'hello', 'no application protocol in common', 'align ALPN'),
  SNI_REQUIRED: entry('client', 'hello', 'server needs a server name and the client sent none', 'send SNI', 'SNI_UNRECOGNIZED'),
  SNI_UNRECOGNIZED: entry('config', 'hello', 'server does not serve the name sent', 'check the name'),
  TLS_HANDSHAKE_FAILED: entry('server', 'hello', 'failed, cause not told (fallback)', "read the server's log"),
  // ---- mutual TLS that is none
  MTLS_NOT_REQUESTED: entry('config', 'client-certificate', 'server never asks for a client certificate', 'turn on client verification'),
  MTLS_OPTIONAL: entry(
    'config',
    'client-certificate',
    'server asks but lets a client without one in',
    'set verification to required',
    'MTLS_NOT_REQUESTED',
  ),
  MTLS_ANY_CERT_ACCEPTED: entry(
    'config',
    'client-certificate',
    'server accepts a self-made certificate',
    'verify against a CA',
    'MTLS_OPTIONAL',
  ),
  CLIENT_AUTH_POST_HANDSHAKE: entry(
    'config',
    'client-certificate',
    'certificate asked after the handshake (renegotiation or post-handshake auth)',
    'move verification to the listener',
  ),
  // ---- the server's certificate
  SERVER_CERT_EXPIRED: entry('server', 'server-certificate', 'server certificate expired', 'renew it'),
  SERVER_CERT_NOT_YET_VALID: entry('server', 'server-certificate', 'not yet valid', 'check dates and clocks'),
  SERVER_CHAIN_EXPIRED: entry('server', 'server-certificate', 'an intermediate expired', 'replace it', 'SERVER_CERT_EXPIRED'),
  SERVER_NAME_MISMATCH: entry('server', 'server-certificate', 'name not in the SAN', 'reissue, or fix the name'),
  SERVER_NAME_CN_ONLY: entry('server', 'server-certificate', 'name only in the CN, no SAN', 'reissue with a SAN', 'SERVER_NAME_MISMATCH'),
  SERVER_IP_NOT_IN_SAN: entry(
    'server',
    'server-certificate',
    'reached by IP, no such IP SAN',
    'use the name, or add an IP SAN',
    'SERVER_NAME_MISMATCH',
  ),
  SERVER_CERT_UNTRUSTED: entry('server', 'server-certificate', 'issued by a CA that is not in --ca', 'get the right CA file'),
  SERVER_CA_KEY_MISMATCH: entry(
    'server',
    'server-certificate',
    "issuer has a trusted CA's name but another key",
    'get the current CA file',
    'SERVER_CERT_UNTRUSTED',
  ),
  SERVER_CERT_SELF_SIGNED: entry('server', 'server-certificate', 'self-signed', 'issue from the CA', 'SERVER_CERT_UNTRUSTED'),
  SERVER_CHAIN_INCOMPLETE: entry('server', 'server-certificate', 'intermediate not sent', 'send the full chain', 'SERVER_CERT_UNTRUSTED'),
  SERVER_CHAIN_MISORDERED: entry('server', 'server-certificate', 'chain sent out of order', 'leaf first, then up', 'OK'),
  SERVER_CHAIN_EXTRA: entry('server', 'server-certificate', 'unrelated certificate sent', 'drop it', 'OK'),
  SERVER_CERT_WRONG_EKU: entry('server', 'server-certificate', 'no serverAuth', 'reissue with serverAuth'),
  SERVER_CERT_REVOKED: entry('server', 'server-certificate', 'revoked in the CRL given', 'replace it'),
  SERVER_ISSUER_NOT_CA: entry('server', 'server-certificate', 'issuer is CA:FALSE', 'issue from a real CA', 'SERVER_CERT_UNTRUSTED'),
  SERVER_PATHLEN_EXCEEDED: entry('server', 'server-certificate', 'pathLenConstraint broken', 'fix the hierarchy'),
  SERVER_NAME_CONSTRAINT: entry('server', 'server-certificate', "name outside a CA's constraints", 'issue from a CA allowed to'),
  SERVER_CERT_WEAK_KEY: entry('server', 'server-certificate', 'key too small', 'reissue'),
  SERVER_CERT_WEAK_SIGNATURE: entry('server', 'server-certificate', 'SHA-1 or weaker signature', 'reissue'),
  // ---- our own files
  CLIENT_KEY_MISMATCH: entry('client', 'client-certificate', "key is not this certificate's", 'pass the right key'),
  CLIENT_KEY_UNREADABLE: entry('client', 'client-certificate', 'key encrypted or broken', 'give the passphrase'),
  CA_FILE_NO_ROOT: entry(
    'client',
    'server-certificate',
    '--ca holds an intermediate, not its root',
    'add the root',
    'SERVER_CERT_UNTRUSTED',
  ),
  CRL_MISSING: entry('client', 'server-certificate', "no CRL of the certificate's issuer given", 'fetch it'),
  CRL_EXPIRED: entry('client', 'server-certificate', 'the CRL given is out of date', 'fetch it anew'),
  CLIENT_CLOCK_SKEW: entry('client', 'server-certificate', "this machine's clock is wrong", 'set the clock', 'SERVER_CERT_EXPIRED'),
  // ---- the client's certificate
  CLIENT_CERT_REQUIRED: entry('client', 'client-certificate', 'server needs a certificate, none was sent', 'pass --cert and --key'),
  CLIENT_CERT_EXPIRED: entry('client', 'client-certificate', 'client certificate expired', 'renew it'),
  CLIENT_CERT_NOT_YET_VALID: entry('client', 'client-certificate', 'not yet valid', 'check dates and clocks'),
  CLIENT_CHAIN_EXPIRED: entry('client', 'client-certificate', 'a client intermediate expired', 'replace it', 'CLIENT_CERT_EXPIRED'),
  CLIENT_CERT_UNTRUSTED: entry(
    'client',
    'client-certificate',
    'server does not trust its issuer',
    "use a certificate from a CA in the server's list",
  ),
  CLIENT_CERT_SELF_SIGNED: entry('client', 'client-certificate', 'self-signed', 'issue from the CA', 'CLIENT_CERT_UNTRUSTED'),
  CLIENT_CA_KEY_MISMATCH: entry(
    'client',
    'client-certificate',
    'issuer has the trusted name, another key',
    'compare CA key ids on both sides',
    'CLIENT_CERT_UNTRUSTED',
  ),
  CLIENT_CHAIN_INCOMPLETE: entry(
    'client',
    'client-certificate',
    'client intermediate not sent',
    'put the intermediate into --cert',
    'CLIENT_CERT_UNTRUSTED',
  ),
  CLIENT_CERT_WRONG_EKU: entry('client', 'client-certificate', 'no clientAuth', 'reissue with clientAuth'),
  CLIENT_CERT_WRONG_KEY_USAGE: entry('client', 'client-certificate', 'keyUsage lacks digitalSignature', 'reissue'),
  CLIENT_CERT_REVOKED: entry('client', 'client-certificate', "revoked in the server's CRL", 'replace it'),
  CLIENT_ISSUER_NOT_CA: entry('client', 'client-certificate', 'issuer is CA:FALSE', 'issue from a real CA', 'CLIENT_CERT_UNTRUSTED'),
  CLIENT_CHAIN_TOO_LONG: entry('client', 'client-certificate', "chain longer than the server's depth limit", "raise the server's depth"),
  CLIENT_PATHLEN_EXCEEDED: entry('client', 'client-certificate', 'pathLenConstraint broken', 'fix the hierarchy'),
  CLIENT_CERT_WEAK_KEY: entry('client', 'client-certificate', 'key too small for the server', 'reissue'),
  CLIENT_CERT_WEAK_SIGNATURE: entry('client', 'client-certificate', 'SHA-1 signature', 'reissue'),
  CLIENT_SIGALG_UNSUPPORTED: entry(
    'config',
    'client-certificate',
    "server's signature_algorithms exclude the client's key type",
    'use an ECDSA or RSA key',
  ),
  CLIENT_CA_NOT_IN_HINTS: entry(
    'config',
    'client-certificate',
    "certificate_authorities lacks the client's issuer: choosy clients send nothing",
    "fix the server's list",
    'CLIENT_CERT_UNTRUSTED',
  ),
  CLIENT_NOT_AUTHORIZED: entry('server', 'application', 'certificate accepted, request refused by policy', 'ask for access'),
  CLIENT_CERT_REJECTED: entry('client', 'client-certificate', 'refused, cause not told (fallback)', "read the server's log"),
  // ---- what the server checks with
  SERVER_TRUST_INCOMPLETE: entry(
    'config',
    'client-certificate',
    "server's client-CA file lacks the root",
    'add the root on the server',
    'CLIENT_CERT_UNTRUSTED',
  ),
  SERVER_CRL_EXPIRED: entry('config', 'client-certificate', "server's CRL is out of date: refuses everyone", "refresh the server's CRL"),
  SERVER_CRL_MISSING: entry('config', 'client-certificate', 'server checks CRLs and lacks one', 'install it'),
  SERVER_CLOCK_SKEW: entry('config', 'client-certificate', "server's clock is wrong", 'set it'),
} as const satisfies Readonly<Record<string, DiagnosisEntry>>;

/** The code of a diagnosis. */
export type DiagnosisCode = keyof typeof DIAGNOSES;

/** All codes, in the order of the table. */
export const DIAGNOSIS_CODES = Object.keys(DIAGNOSES) as DiagnosisCode[];

/** Is `exact` a case of `vague`: wherever the first is true, the second is true and says less? */
export function impliesCode(exact: DiagnosisCode, vague: DiagnosisCode): boolean {
  const lessExact = DIAGNOSES[exact].lessExact;
  if (lessExact === undefined) return false;
  return lessExact === vague || impliesCode(lessExact as DiagnosisCode, vague);
}
