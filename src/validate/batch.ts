import { type Json, JsonObject } from '../base/json.js';
import { MtlsError, isError } from '../errors.js';
import { type Certificate, readCertificate } from '../pki/certificate.js';
import { type Crl, readCrl } from '../pki/crl.js';
import { readPem } from '../pki/pem.js';
import type { Finding } from './findings.js';
import type { NameQuery } from './names.js';
import type { PolicyInputs, VerifyRequest } from './request.js';
import { verify } from './verify.js';

/** One answer of `verify --batch`. */
export interface BatchAnswer {
  readonly id: Json;
  readonly valid: boolean;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/**
 * Answers one line of `verify --batch` (docs/architecture.md has the shape). Never throws: what cannot be read as a
 * request is answered with the error's code and the id, where one can be seen. `once` keeps what lines have in common.
 */
export function answerLine(text: string, now: Date, once: ReadOnce = new ReadOnce()): BatchAnswer {
  let id: Json = null;
  try {
    const request = JsonObject.parse(text, 'request');
    id = request.optionalString('id') ?? null;
    const { valid, errors } = answer(request, now, once);
    return { id, valid, errors: errors.map(({ code, message }) => ({ code, message })) };
  } catch (error) {
    if (error instanceof MtlsError) return refusal(error, id);
    // nested too deeply to be said in words
    if (error instanceof RangeError)
      return refusal(new MtlsError('VALUE_INVALID', { what: 'request', found: text.slice(0, 40), expected: 'one flat JSON object' }), id);
    throw error;
  }
}

/** Answers the lines of one batch, reading what they have in common once. */
export function batchAnswerer(now: Date): (line: string) => BatchAnswer {
  const once = new ReadOnce();
  return (line) => answerLine(line, now, once);
}

/** The answer to what is no request. */
export const refusal = ({ code, message }: MtlsError, id: Json = null): BatchAnswer => ({ id, valid: false, errors: [{ code, message }] });

function answer(request: JsonObject, now: Date, once: ReadOnce): { valid: boolean; errors: readonly Finding[] } {
  request.string('id');
  const leaves = readCertificates(request.string('leaf'));
  const intermediates = request.strings('intermediates').map((text) => once.certificates(text));
  const roots = request.strings('roots').map((text) => once.certificates(text));
  const crls = request.strings('crls').map((text) => once.crls(text));
  const [leaf] = leaves.values;
  if (leaf === undefined) return { valid: false, errors: leaves.faults };
  // what cannot be read is not there; it is told when that was missed. Of the intermediates anything may come
  const unreadable = [...roots, ...crls].flatMap(({ faults }) => faults);
  const inputs = { leaf, intermediates: valuesOf(intermediates), roots: valuesOf(roots), crls: valuesOf(crls) };
  const revocation = crls.length > 0 ? 'required' : 'when given';
  const { valid, errors } = verify({ ...inputs, revocation, ...settingsOf(request, now) });
  return { valid, errors: valid ? [] : [...errors, ...unreadable] };
}

const valuesOf = <T>(readings: readonly Read<T>[]): T[] => readings.flatMap(({ values }) => values);

function settingsOf(request: JsonObject, now: Date): Omit<VerifyRequest, 'leaf' | 'intermediates' | 'roots' | 'crls'> {
  const purpose = request.optionalWord('purpose', ['server', 'client']);
  const maxDepth = request.optionalCount('maxDepth');
  const minRsaBits = request.optionalCount('minRsaBits');
  const allowSha1 = request.optionalBoolean('allowSha1');
  const name = nameOf(request);
  const policy = policyOf(request);
  return {
    at: request.optionalInstant('at') ?? now,
    ...(purpose === undefined ? {} : { purpose }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(minRsaBits === undefined ? {} : { minRsaBits }),
    ...(allowSha1 === undefined ? {} : { allowSha1 }),
    ...(name === undefined ? {} : { name }),
    ...(policy === undefined ? {} : { policy }),
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

function policyOf(request: JsonObject): PolicyInputs | undefined {
  const policy = request.optionalObject('policy');
  if (policy === undefined) return undefined;
  return {
    // nothing at all is any policy; an empty list would be none
    ...(policy.has('initial') ? { initial: policy.strings('initial') } : {}),
    explicit: policy.optionalBoolean('explicit') ?? false,
    inhibitMapping: policy.optionalBoolean('inhibitMapping') ?? false,
    inhibitAny: policy.optionalBoolean('inhibitAny') ?? false,
  };
}

/** What a PEM text holds, and what of it cannot be read. */
interface Read<T> {
  readonly values: readonly T[];
  readonly faults: readonly Finding[];
}

/** Characters of PEM that are kept; nearly every line of a batch brings the same few CAs along. */
const KEPT = 32_000_000;

/** Reads a text once, however many lines have it. */
class ReadOnce {
  readonly #certificates = new Map<string, Read<Certificate>>();
  readonly #crls = new Map<string, Read<Crl>>();
  #kept = 0;

  certificates(text: string): Read<Certificate> {
    return this.#once(this.#certificates, text, () => readCertificates(text));
  }

  crls(text: string): Read<Crl> {
    return this.#once(this.#crls, text, () => read(text, 'X509 CRL', readCrl, ({ message }) => ({ code: 'CRL_MALFORMED', message })));
  }

  #once<T>(known: Map<string, Read<T>>, text: string, make: () => Read<T>): Read<T> {
    const before = known.get(text);
    if (before !== undefined) return before;
    this.#kept += text.length;
    if (this.#kept > KEPT) {
      this.#certificates.clear();
      this.#crls.clear();
      this.#kept = text.length;
    }
    const made = make();
    known.set(text, made);
    return made;
  }
}

const readCertificates = (text: string): Read<Certificate> =>
  read(text, 'CERTIFICATE', readCertificate, ({ message }) => ({ code: 'CERT_MALFORMED', message }));

function read<T>(text: string, label: string, decode: (der: Buffer) => T, faultOf: (error: MtlsError) => Finding): Read<T> {
  try {
    const blocks = readPem(text).filter((block) => block.label === label);
    if (blocks.length === 0) throw new MtlsError('PEM_MALFORMED', { problem: `no ${label} block` });
    return { values: blocks.map(({ der }) => decode(der)), faults: [] };
  } catch (error) {
    if (!UNREADABLE.some((code) => isError(error, code))) throw error;
    return { values: [], faults: [faultOf(error as MtlsError)] };
  }
}

const UNREADABLE = ['CERTIFICATE_MALFORMED', 'CRL_MALFORMED', 'PEM_MALFORMED'] as const;
