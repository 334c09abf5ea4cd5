import { type Json, JsonObject } from '../base/json.js';
import { type ErrorCode, MtlsError } from '../errors.js';
import { readCertificate } from './certificate.js';
import { readCrl } from './crl.js';
import { readCsr } from './csr.js';
import { certificateFields, crlFields, csrFields } from './fields.js';

/** One answer of `inspect --batch`. */
export type InspectAnswer =
  | { readonly id: Json; readonly ok: true; readonly kind: Kind; readonly fields: Readonly<Record<string, Json>> }
  | { readonly id: Json; readonly ok: false; readonly error: { readonly code: ErrorCode; readonly message: string } };

const READERS = {
  certificate: (der: Buffer) => certificateFields(readCertificate(der)),
  crl: (der: Buffer) => crlFields(readCrl(der)),
  csr: (der: Buffer) => csrFields(readCsr(der)),
} as const;
type Kind = keyof typeof READERS;
const KINDS = Object.keys(READERS) as Kind[];

/**
 * Answers one line of `inspect --batch`: `{"id","kind","data"}`, the data being base64 of DER. Never throws: what cannot
 * be read is answered with the error's code and the id, where one can be seen.
 */
export function inspectLine(text: string): InspectAnswer {
  let id: Json = null;
  try {
    const request = JsonObject.parse(text, 'request');
    id = request.optionalString('id') ?? null;
    const kind = request.word('kind', KINDS);
    return { id, ok: true, kind, fields: READERS[kind](base64(request.string('data'))) };
  } catch (error) {
    if (error instanceof MtlsError) return inspectRefusal(error, id);
    throw error;
  }
}

/** The answer to what is no request. */
export const inspectRefusal = ({ code, message }: MtlsError, id: Json = null): InspectAnswer => ({
  id,
  ok: false,
  error: { code, message },
});

/** Base64 strictly: Buffer passes over whatever is none. */
function base64(text: string): Buffer {
  const compact = text.replace(/\s/g, '');
  const bytes = Buffer.from(compact, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') === compact.replace(/=+$/, '')) return bytes;
  throw new MtlsError('VALUE_INVALID', { what: 'request data', found: text.slice(0, 40), expected: 'base64 of DER' });
}
