/**
 * What can go wrong, closed: one class, one table. An entry says what the user reads (`message`), what to paste next
 * (`hints`), and how the process ends (`exit`); the facts that it needs are its parameter. `docs/errors.md` is made
 * from this table. Nothing may decide from a message: decide from `code`.
 */

import { AUTHORITY_ERRORS } from './errors/authority.js';
import {
  decryptInPlace,
  directoryOf,
  doTheRest,
  entry,
  type ErrorEntry,
  EXIT,
  type ExitCode,
  type InFile,
  inPath,
  look,
  octal,
  shellWord,
  undone,
  type Write,
} from './errors/entry.js';

export { EXIT, type ExitCode, type Done, shellWord, openWithPassphrase } from './errors/entry.js';

export const ERRORS = {
  // ---- the command line
  USAGE: entry<{ problem: string; hint?: string }>({
    when: 'A flag or argument is missing, unknown or malformed.',
    message: (f) => f.problem,
    hints: (f) => (f.hint === undefined ? [] : [f.hint]),
  }),
  INTERRUPTED: entry({
    when: 'Ctrl-C, or a terminal that went away.',
    message: () => 'interrupted',
    exit: EXIT.interrupted,
  }),
  INTERNAL: entry<{ problem: string }>({
    when: 'A bug of ours. Please report it with what is printed under MTLS_DEBUG=1.',
    message: (f) => `a bug in mtls: ${f.problem}`,
    hints: () => ['run again with MTLS_DEBUG=1 and report what it prints'],
    exit: EXIT.bug,
  }),

  // ---- files
  FILE_NOT_FOUND: entry<InFile>({
    when: 'A file named on the command line does not exist.',
    message: (f) => `no such file: ${f.path}`,
    hints: (f) => [`ls ${shellWord(directoryOf(f.path))}`],
  }),
  FILE_NOT_READABLE: entry<InFile & { reason: string }>({
    when: 'A file exists and cannot be read: a directory, no permission, a broken disk.',
    message: (f) => `cannot read ${f.path}: ${f.reason}`,
    hints: (f) => [`ls -ld ${shellWord(f.path)}`],
  }),
  FILE_NOT_WRITABLE: entry<Write & { reason: string }>({
    when: 'A file cannot be written: a read-only directory or file system, no permission. Or standard output cannot.',
    message: (f) => `cannot write ${f.path}: ${f.reason}; ${undone(f)}`,
    hints: (f) => (f.stream === true ? [] : [`ls -ld ${shellWord(directoryOf(f.path))}`, ...doTheRest(f)]),
  }),
  DISK_FULL: entry<Write>({
    when: 'No space (or quota) is left for a write. What was there before is untouched; the message says what is done already.',
    message: (f) => `no space left for ${f.path}; ${undone(f)}`,
    hints: (f) => (f.stream === true ? ['df -h'] : [`df -h ${shellWord(directoryOf(f.path))}`, ...doTheRest(f)]),
  }),
  FILE_EXISTS: entry<InFile & { what?: string }>({
    when: 'A file that is to be written is there already, and nobody said that it may be replaced.',
    message: (f) => `${f.path} is there already${f.what === undefined ? '' : `, ${f.what}`}; nothing was changed`,
    hints: (f) => [`ls -l ${shellWord(f.path)}`],
  }),
  FILE_TOO_LARGE: entry<InFile & { size: number; limit: number }>({
    when: 'A file is larger than anything of its kind should be.',
    message: (f) => `${f.path} has ${f.size} bytes, expected at most ${f.limit}`,
    hints: (f) => [look(f.path)],
  }),
  FILE_EMPTY: entry<InFile & { expected?: string }>({
    when: 'A file has no content where a certificate, key or list was expected.',
    message: (f) => `${f.path} is empty, expected ${f.expected ?? 'a certificate, CRL, request or key'}`,
    hints: (f) => [`ls -l ${shellWord(f.path)}`],
  }),
  FILE_MODE_TOO_OPEN: entry<InFile & { mode: number; expected: number }>({
    when: 'A private key, or a directory that holds one, can be read or written by others.',
    message: (f) => `${f.path} has mode ${octal(f.mode)}, expected ${octal(f.expected)}: others on this machine could read it`,
    hints: (f) => [`chmod ${octal(f.expected)} ${shellWord(f.path)}`],
  }),
  FILE_UNRECOGNIZED: entry<InFile & { expected: string; found: string }>({
    when: 'A file holds something else than was expected of it.',
    message: (f) => `${f.path} is not ${f.expected}: found ${f.found}`,
    hints: (f) => [look(f.path)],
  }),

  // ---- bytes
  DER_MALFORMED: entry<{ fault: string; offset: number; what?: string }>({
    when: 'Bytes that should be DER break one of its rules (X.690).',
    message: (f) => `not DER: ${f.fault} at byte ${f.offset}${f.what === undefined ? '' : ` (${f.what})`}`,
  }),
  PEM_MALFORMED: entry<{ problem: string; path?: string }>({
    when: 'A PEM block is torn, mislabelled or not base64.',
    message: (f) => `not PEM: ${f.problem}${inPath(f.path)}`,
    hints: (f) => (f.path === undefined ? [] : [look(f.path)]),
  }),
  CERTIFICATE_MALFORMED: entry<{ problem: string; path?: string }>({
    when: 'DER that is not a certificate as RFC 5280 has it.',
    message: (f) => `not a certificate: ${f.problem}${inPath(f.path)}`,
    hints: (f) => (f.path === undefined ? [] : [`openssl x509 -noout -text -in ${shellWord(f.path)}`]),
  }),
  CRL_MALFORMED: entry<{ problem: string; path?: string }>({
    when: 'DER that is not a CRL as RFC 5280 has it.',
    message: (f) => `not a CRL: ${f.problem}${inPath(f.path)}`,
    hints: (f) => (f.path === undefined ? [] : [`openssl crl -noout -text -in ${shellWord(f.path)}`]),
  }),
  OCSP_MALFORMED: entry<{ problem: string }>({
    when: 'Bytes that are not a successful OCSP response as RFC 6960 has it.',
    message: (f) => `not an OCSP response: ${f.problem}`,
  }),
  OCSP_REQUEST_MALFORMED: entry<{ problem: string }>({
    when: 'Bytes that are not an OCSP request as RFC 6960 has it, or that ask for something that is not supported.',
    message: (f) => `not an OCSP request: ${f.problem}`,
  }),
  TLS_MALFORMED: entry<{ what: string; problem: string; offset: number }>({
    when: 'Bytes from a peer that should be a TLS record or handshake message break its rules (RFC 8446).',
    message: (f) => `not TLS: ${f.what}: ${f.problem} at byte ${f.offset}`,
  }),
  CSR_MALFORMED: entry<{ problem: string; path?: string }>({
    when: 'DER that is not a certification request as RFC 2986 has it.',
    message: (f) => `not a certification request: ${f.problem}${inPath(f.path)}`,
    hints: (f) => (f.path === undefined ? [] : [`openssl req -noout -text -in ${shellWord(f.path)}`]),
  }),
  CSR_SIGNATURE_INVALID: entry<InFile>({
    when: 'A certification request is not signed by the key that it asks a certificate for.',
    message: (f) => `${f.path}: the request is not signed by its own key`,
    hints: () => ['make the request again, with the key that it is for'],
  }),
  PKCS12_MALFORMED: entry<InFile & { problem: string }>({
    when: 'A PKCS#12 file breaks the rules of RFC 7292, or asks for more work than is sane.',
    message: (f) => `${f.path} is not PKCS#12: ${f.problem}`,
    hints: (f) => [`openssl pkcs12 -info -noout -in ${shellWord(f.path)}`],
  }),
  PKCS12_UNSUPPORTED: entry<InFile & { what: string }>({
    when: 'A PKCS#12 file is protected in a way that is not supported here, RC2 for example.',
    message: (f) => `${f.path} is protected by ${f.what}, which is not supported here`,
    hints: (f) => [`openssl pkcs12 -legacy -nodes -in ${shellWord(f.path)} | openssl pkcs12 -export -out ${shellWord(`${f.path}.new`)}`],
  }),

  // ---- keys
  KEY_UNREADABLE: entry<InFile & { problem: string }>({
    when: 'A private key cannot be decoded.',
    message: (f) => `${f.path}: ${f.problem}`,
    hints: (f) => [`openssl pkey -noout -in ${shellWord(f.path)}`],
  }),
  KEY_ENCRYPTED: entry<InFile & { remedy?: string }>({
    when: 'A private key, or a PKCS#12 file, needs a passphrase and none was given.',
    message: (f) => `${f.path} is encrypted and no passphrase was given`,
    hints: (f) => [f.remedy ?? decryptInPlace(shellWord(f.path))],
  }),
  PASSPHRASE_WRONG: entry<InFile & { remedy?: string }>({
    when: 'A passphrase does not open what it was given for.',
    message: (f) => `the passphrase does not open ${f.path}`,
    hints: (f) => [f.remedy ?? 'give another with --passphrase-file or --passphrase-env'],
  }),
  PASSPHRASE_MISSING: entry<{ what: string }>({
    when: 'Something is to be put under a passphrase, none was given, and there is nobody to ask for one.',
    message: (f) => `${f.what} is to be under a passphrase, and none was given`,
    hints: () => ['give one with --passphrase-file or --passphrase-env'],
  }),
  PASSPHRASE_COMMAND_FAILED: entry<{ command: string; problem: string }>({
    when: 'The command that was to print a passphrase failed, or printed none. What it printed is not told.',
    message: (f) => `the passphrase command ${f.problem}`,
    hints: (f) => [f.command],
  }),
  KEY_MISMATCH: entry<{ certificate: string; key: string }>({
    when: 'A private key is not the one of the certificate beside it.',
    message: (f) => `${f.key} is not the key of ${f.certificate}`,
    hints: (f) => [`mtls inspect ${shellWord(f.certificate)} ${shellWord(f.key)}`],
  }),
  CA_KEY_AWAY: entry<{ name: string; path: string }>({
    when: 'The private key of a CA is not in the workspace: it was sealed or burnt, or the CA is that of somebody else.',
    message: (f) => `the key of ${f.name} is not here: ${f.path}`,
    hints: () => ['mtls authority unseal FILE', 'or put it back from a backup'],
  }),
  CA_NOT_SIGNED: entry<InFile>({
    when: 'The CA of the workspace waits: a request was made (init --request), and the certificate for it is not installed yet.',
    message: (f) => `the CA of this workspace has no certificate yet: ${f.path} waits to be signed`,
    hints: () => ['mtls authority install CERT --chain ROOT --crl CRL'],
  }),
  NO_ISSUING_CA: entry<{ why: string; remedy: string }>({
    when: 'What was asked needs an issuing CA below the root, and the workspace has none.',
    message: (f) => `the workspace has no issuing CA: ${f.why}`,
    hints: (f) => [f.remedy],
  }),
  ROOT_KEY_BURNT: entry<{ name: string; at: string }>({
    when: 'The key of a root that was burnt is to come back. Its last CRL lasts to its end, and no other is to be signed.',
    message: (f) => `the key of ${f.name} was burnt ${f.at}: it is not to come back`,
    hints: () => ['in another directory: mtls init --issuing-ca'],
  }),
  CA_NOT_FIT: entry<{ path: string; problems: readonly string[] }>({
    when: 'A certificate that was given as that of a CA cannot be one, or its path to its root does not hold.',
    message: (f) => `${f.path} is not fit to sign services: ${f.problems.join('; ')}`,
    hints: (f) => [`mtls inspect ${shellWord(f.path)}`],
    exit: EXIT.bad,
  }),
  KEY_TYPE_UNSUPPORTED: entry<{ found: string; expected: string }>({
    when: 'A key of a type or size that is not supported here.',
    message: (f) => `key type ${f.found} is not supported here, expected ${f.expected}`,
  }),

  CERTIFICATE_NOT_IN_FORCE: entry<InFile & { notBefore: string; notAfter: string; now: string }>({
    when: 'A certificate of ours that is to be used now has ended, or has not begun.',
    message: (f) => `${f.path} is in force from ${f.notBefore} to ${f.notAfter}, now is ${f.now}`,
    hints: (f) => [`mtls inspect ${shellWord(f.path)}`, 'date -u'],
  }),
  CRL_NOT_OF_CA: entry<InFile & { issuer: string; problem: string }>({
    when: 'A CRL cannot be relied on: no CA at hand signed it, or it is of a kind that is not supported.',
    message: (f) => `${f.path}, the CRL of ${f.issuer}: ${f.problem}`,
    hints: (f) => [`mtls inspect ${shellWord(f.path)}`],
  }),

  ...AUTHORITY_ERRORS,

  // ---- names and values
  NAME_NOT_DNS_LABEL: entry<{ name: string; what: string; suggestion?: string }>({
    when: 'A name must be a DNS label (RFC 1123): a-z, 0-9 and -, at most 63, no - at either end.',
    message: (f) => `${f.what} ${JSON.stringify(f.name)} is not a DNS label: expected 1 to 63 of a-z 0-9 - (no - at the ends)`,
    hints: (f) =>
      f.suggestion === undefined ? [] : [f.what === 'service name' ? `mtls issue ${f.suggestion}` : `did you mean ${f.suggestion}?`],
  }),
  VALUE_INVALID: entry<{ what: string; found: string; expected: string }>({
    when: 'A value is not of the form it must have.',
    message: (f) => `${f.what}: expected ${f.expected}, found ${JSON.stringify(f.found)}`,
  }),

  // ---- networks
  HOST_NOT_FOUND: entry<{ host: string }>({
    when: 'A host name does not resolve.',
    message: (f) => `${f.host} does not resolve`,
    hints: (f) => [`getent hosts ${shellWord(f.host)}`],
  }),
  CONNECT_FAILED: entry<{ endpoint: string; reason: string }>({
    when: 'A TCP or TLS connection could not be made.',
    message: (f) => `cannot connect to ${f.endpoint}: ${f.reason}`,
    hints: (f) => [`mtls probe ${shellWord(f.endpoint)}`],
  }),
  LISTEN_FAILED: entry<{ endpoint: string; reason: string; taken?: number }>({
    when: 'A port cannot be listened on.',
    message: (f) => `cannot listen on ${f.endpoint}: ${f.reason}`,
    hints: (f) => (f.taken === undefined ? [] : [`ss -ltnp 'sport = :${f.taken}'`]),
  }),
  PROXY_OPEN_POLICY: entry({
    when: 'A proxy was asked to start without saying who may connect.',
    message: () => 'no policy: say who may connect',
    hints: () => ['name them with --allow, by service or SPIFFE ID; or let every certificate of this CA in with --allow-any'],
  }),
  PROXY_OPEN_UPSTREAM: entry({
    when: 'A proxy was asked to start without saying who the upstream must be.',
    message: () => 'no policy: say who the upstream must be',
    hints: () => ['name it with --expect: its service, its SPIFFE ID, or dns: and a DNS name'],
  }),
  PROXY_PLAINTEXT: entry<{ endpoint: string }>({
    when: 'The plaintext end of a proxy is not on loopback.',
    message: (f) => `${f.endpoint} would carry plaintext off this machine`,
    hints: () => ['let it be on 127.0.0.1; or, on a network that you trust, say so with --unsafe-plaintext'],
  }),
} as const;

/** The name of something that can go wrong; stable, part of the contract. */
export type ErrorCode = keyof typeof ERRORS;

/** What must be known to report `Code`. */
export type ErrorFacts<Code extends ErrorCode> = Parameters<(typeof ERRORS)[Code]['message']>[0];

/** The one error of this program. `message` and `hints` come from the table and the facts. */
export class MtlsError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'MtlsError';
  readonly code: Code;
  readonly facts: ErrorFacts<Code>;
  readonly hints: readonly string[];
  readonly exitCode: ExitCode;

  constructor(code: Code, facts: ErrorFacts<Code>, options?: ErrorOptions) {
    const definition = ERRORS[code] as unknown as ErrorEntry<ErrorFacts<Code>>;
    super(definition.message(facts), options);
    this.code = code;
    this.facts = facts;
    this.hints = definition.hints?.(facts) ?? [];
    this.exitCode = definition.exit ?? EXIT.could_not;
  }
}

/** Is `error` ours, and of that code? */
export function isError<Code extends ErrorCode>(error: unknown, code: Code): error is MtlsError<Code> {
  return error instanceof MtlsError && error.code === code;
}

/** The `code` of a system error (`ENOENT`, `ECONNREFUSED`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && !(error instanceof MtlsError) ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
