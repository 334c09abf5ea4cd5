import { type Json, JsonObject } from '../base/json.js';
import { MtlsError, isError } from '../errors.js';
import { type Certificate, readCertificate } from '../pki/certificate.js';
import { type Crl, readCrl } from '../pki/crl.js';
import { readPem } from '../pki/pem.js';
import type { Finding } from './findings.js';
import type { NameQuery } from './names.js';
import { type VerifyRequest, verify } from './verify.js';

/** One answer of `verify --batch`. */
export interface BatchAnswer {
  readonly id: Json;
  readonly valid: boolean;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/**
 * Answers one line of `verify --batch` (docs/architecture.md has the shape). Never throws: what cannot be read as a
 * request is answered with the error's code and the id, where one can be seen.
 */
export function answerLine(text: string, now: Date): BatchAnswer {
  let id: Json = null;
  try {
    const request = JsonObject.parse(text, 'request');
    id = request.optionalString('id') ?? null;
    const { valid, errors } = readRequest(request, now);
    return { id, valid, errors: errors.map(({ code, message }) => ({ code, message })) };
  } catch (error) {
    if (error instanceof MtlsError) return refusal(error, id);
    // nested too deeply to be said in words
    if (error instanceof RangeError)
      return refusal(new MtlsError('VALUE_INVALID', { what: 'request', found: text.slice(0, 40), expected: 'one flat JSON object' }), id);
    throw error;
  }
}

/** The answer to what is no request. */
export const refusal = ({ code, message }: MtlsError, id: Json = null): BatchAnswer => ({ id, valid: false, errors: [{ code, message }] });

function readRequest(request: JsonObject, now: Date): { valid: boolean; errors: readonly Finding[] } {
  request.string('id');
  const unreadable: Finding[] = [];
  const [leaf] = certificates([request.string('leaf')], unreadable);
  // a certificate that cannot be read is not there; the search goes on without it and the leaf is the exception
  const intermediates = certificates(request.strings('intermediates'), []);
  const roots = certificates(request.strings('roots'), unreadable);
  const crls = readCrls(request.strings('crls'), unreadable);
  if (request.has('policy')) {
    const policy = request.optionalObject('policy')!;
    const asked = policy.optionalBoolean('explicit') === true || policy.strings('initial').some((oid) => oid !== ANY_POLICY);
    if (asked) unreadable.push({ code: 'POLICY_UNSUPPORTED', message: 'certificate policies are not supported: refused' });
  }
  if (leaf === undefined || unreadable.length > 0) return { valid: false, errors: unreadable };
  return verify({ leaf, intermediates, roots, crls, ...settingsOf(request, now) });
}

const ANY_POLICY = '2.5.29.32.0';

function settingsOf(request: JsonObject, now: Date): Omit<VerifyRequest, 'leaf' | 'intermediates' | 'roots' | 'crls'> {
  const purpose = request.optionalWord('purpose', ['server', 'client']);
  const maxDepth = request.optionalCount('maxDepth');
  const minRsaBits = request.optionalCount('minRsaBits');
  const allowSha1 = request.optionalBoolean('allowSha1');
  const name = nameOf(request);
  return {
    at: request.optionalInstant('at') ?? now,
    ...(purpose === undefined ? {} : { purpose }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(minRsaBits === undefined ? {} : { minRsaBits }),
    ...(allowSha1 === undefined ? {} : { allowSha1 }),
    ...(name === undefined ? {} : { name }),
  };
}

function nameOf(request: JsonObject): NameQuery | undefined {
  const asked = (['host', 'ip', 'uri', 'email'] as const).flatMap((kind) => {
    const value = request.optionalString(kind);
    return value === undefined ? [] : [{ [kind]: value } as unknown as NameQuery];
  });
  if (asked.length > 1)
    throw new MtlsError('VALUE_INVALID', { what: 'request', found: `${asked.length} names`, expected: 'one of host, ip, uri, email' });
  return asked[0];
}

function certificates(texts: readonly string[], unreadable: Finding[]): Certificate[] {
  return texts.flatMap((text) => {
    try {
      const blocks = readPem(text).filter(({ label }) => label === 'CERTIFICATE');
      if (blocks.length === 0) throw new MtlsError('CERTIFICATE_MALFORMED', { problem: 'no CERTIFICATE block' });
      return blocks.map(({ der }) => readCertificate(der));
    } catch (error) {
      if (!isError(error, 'CERTIFICATE_MALFORMED') && !isError(error, 'PEM_MALFORMED')) throw error;
      unreadable.push({ code: 'CERT_MALFORMED', message: error.message });
      return [];
    }
  });
}

function readCrls(texts: readonly string[], unreadable: Finding[]): Crl[] {
  return texts.flatMap((text) => {
    try {
      const blocks = readPem(text).filter(({ label }) => label === 'X509 CRL');
      if (blocks.length === 0) throw new MtlsError('CRL_MALFORMED', { problem: 'no X509 CRL block' });
      return blocks.map(({ der }) => readCrl(der));
    } catch (error) {
      if (!isError(error, 'CRL_MALFORMED') && !isError(error, 'PEM_MALFORMED')) throw error;
      unreadable.push({ code: 'CRL_MALFORMED', message: error.message });
      return [];
    }
  });
}
