import * as Flags from '@oclif/core/flags';
import { isIP } from 'node:net';
import { readFileBounded } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import { readCertificates } from '../pki/material.js';
import { labelOf } from '../pki/name.js';
import { type OcspResponse, readOcspResponse } from '../pki/ocsp.js';
import { type ExplainedCertificate, type VerifyRequest, explainPath, isHost, parseSpiffeId, verify } from '../validate/index.js';
import { listFlag } from './flags.js';
import { given } from '../base/given.js';
import { instantOf } from './instant.js';
import { crlsFrom, trustOf } from './trust.js';

/** What a certificate is judged by. */
export const verificationFlags = {
  ca: listFlag('trusted certificates; may be given several times, as the next three', 'FILE'),
  intermediates: listFlag('certificates that may be in the chain', 'FILE'),
  crl: listFlag('certificate revocation lists', 'FILE'),
  ocsp: listFlag('OCSP responses, in DER', 'FILE'),
  'crl-soft': Flags.boolean({ summary: 'warn where nobody can tell whether it is revoked, instead of refusing' }),
  purpose: Flags.option({ options: ['server', 'client'] as const, summary: 'what it is to be used for' })(),
  host: Flags.string({ summary: 'the DNS name that it must have', helpValue: 'NAME', exclusive: ['ip', 'uri'] }),
  ip: Flags.string({ summary: 'the address that it must have', helpValue: 'ADDR', exclusive: ['uri'] }),
  uri: Flags.string({ summary: 'the SPIFFE ID that it must have', helpValue: 'ID' }),
  policy: listFlag('a certificate policy that must hold along the whole path, or one of several', 'OID'),
  'inhibit-policy-mapping': Flags.boolean({ summary: 'policies may not be mapped', dependsOn: ['policy'] }),
  'inhibit-any-policy': Flags.boolean({ summary: 'anyPolicy stands for none', dependsOn: ['policy'] }),
  at: Flags.string({ summary: 'the instant to judge for [default: now]', helpValue: 'INSTANT' }),
};

interface VerificationFlags {
  readonly workspace?: string | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly intermediates?: readonly string[] | undefined;
  readonly crl?: readonly string[] | undefined;
  readonly ocsp?: readonly string[] | undefined;
  readonly 'crl-soft': boolean;
  readonly purpose?: 'server' | 'client' | undefined;
  readonly host?: string | undefined;
  readonly ip?: string | undefined;
  readonly uri?: string | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly 'inhibit-policy-mapping': boolean;
  readonly 'inhibit-any-policy': boolean;
  readonly at?: string | undefined;
}

/** What came of one file; `explained` is the path with its rules, where that was asked for. */
export interface VerifiedFile {
  readonly file: string;
  readonly valid: boolean;
  readonly errors: readonly Told[];
  readonly warnings: readonly Told[];
  readonly path: readonly string[];
  readonly explained?: readonly ExplainedCertificate[];
}
interface Told {
  readonly code: string;
  readonly message: string;
}

/**
 * Judges the first certificate of each file, the others in it being at hand. `unread` are the files that could not be looked
 * at, which are not good; throws what is wrong with the only one, or with what they are judged by.
 */
export async function verifyFiles(files: readonly string[], flags: VerificationFlags, now: Date, withExplanation: boolean) {
  const trust = await trustOf(flags.ca, flags.workspace);
  const intermediates = (flags.intermediates ?? []).flatMap(readCertificates);
  const at = flags.at === undefined ? now : instantOf(flags.at, '--at');
  const inputs = {
    ...{ roots: trust.roots, at, softRevocation: flags['crl-soft'] },
    crls: flags.crl === undefined ? trust.crls : crlsFrom(flags.crl),
    ocsp: (flags.ocsp ?? []).map(readResponse),
    ...given({ purpose: flags.purpose, name: nameOf(flags), policy: policyOf(flags) }),
  };
  const unread: string[] = [];
  const judge = (file: string): VerifiedFile => {
    const [leaf, ...chain] = readCertificates(file);
    const request: VerifyRequest = { ...inputs, leaf: leaf!, intermediates: [...chain, ...intermediates] };
    const verdict = verify(request);
    const { valid, errors, warnings, path } = verdict;
    return {
      ...{ file, valid, errors: errors.map(told), warnings: warnings.map(told), path: path.map(({ subject }) => labelOf(subject)) },
      ...(withExplanation ? { explained: explainPath(request, verdict) } : {}),
    };
  };
  const certificates = files.map((file): VerifiedFile => {
    try {
      return judge(file);
    } catch (error) {
      if (!(error instanceof MtlsError) || files.length === 1) throw error;
      unread.push(file);
      return { file, valid: false, errors: [told(error)], warnings: [], path: [] };
    }
  });
  const result = { valid: certificates.every(({ valid }) => valid), at: at.toISOString(), trust: trust.from, certificates };
  return { result, unread };
}

const told = ({ code, message }: Told): Told => ({ code, message });

function nameOf({ host, ip, uri }: VerificationFlags): VerifyRequest['name'] {
  if (host !== undefined) {
    assertForm(isHost(host), '--host', host, 'a DNS name such as api.shop.test, or an address');
    return { host };
  }
  if (ip !== undefined) {
    assertForm(isIP(ip) !== 0, '--ip', ip, 'an IPv4 or IPv6 address');
    return { ip };
  }
  if (uri === undefined) return undefined;
  assertForm(parseSpiffeId(uri) !== undefined, '--uri', uri, 'a SPIFFE ID such as spiffe://shop.test/ns/default/sa/api');
  return { uri };
}

function assertForm(holds: boolean, what: string, found: string, expected: string): void {
  if (!holds) throw new MtlsError('VALUE_INVALID', { what, found, expected });
}

/** Whoever names a policy wants one to hold: the first of the inputs of RFC 5280 §6.1.1 (c) brings the one of (e) along. */
function policyOf(flags: VerificationFlags): VerifyRequest['policy'] {
  if (flags.policy === undefined) return undefined;
  const wrong = flags.policy.find((policy) => !/^[0-2](\.(0|[1-9]\d*))+$/.test(policy));
  if (wrong !== undefined)
    throw new MtlsError('VALUE_INVALID', { what: '--policy', found: wrong, expected: 'an object identifier such as 1.2.3.4' });
  return {
    ...{ initial: flags.policy, explicit: true },
    ...{ inhibitMapping: flags['inhibit-policy-mapping'], inhibitAny: flags['inhibit-any-policy'] },
  };
}

function readResponse(file: string): OcspResponse {
  try {
    return readOcspResponse(readFileBounded(file));
  } catch (error) {
    if (!isError(error, 'OCSP_MALFORMED')) throw error;
    throw new MtlsError('OCSP_MALFORMED', { problem: `${error.facts.problem}, in ${file}` }, { cause: error });
  }
}
