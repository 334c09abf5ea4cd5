import { type Json, JsonObject } from '../../base/json.js';
import { MtlsError } from '../../errors.js';
import { readPem } from '../../pki/pem.js';
import { type LintOptions, lintItems } from './lint.js';
import { PROFILES, type Severity } from './rule.js';
import { lintablesIn } from './sources.js';

/** One answer of `lint --batch`. */
export interface LintAnswer {
  readonly id: Json;
  readonly findings: readonly { readonly code: string; readonly severity: Severity; readonly message: string }[];
}

/**
 * Answers one line of `lint --batch`, `{"id","cert"}`; `cert` may hold a chain or CRLs as well, `profile` and `at` may
 * stand beside it. Never throws: what cannot be read as a request is answered with the error's code as a finding.
 */
export function answerLintLine(text: string, options: LintOptions): LintAnswer {
  let id: Json = null;
  try {
    const request = JsonObject.parse(text, 'request');
    id = request.optionalString('id') ?? null;
    request.string('id');
    const cert = request.string('cert');
    const at = request.optionalInstant('at') ?? options.at;
    const profile = request.optionalWord('profile', PROFILES) ?? options.profile ?? 'mtls';
    if (readPem(cert).length === 0)
      throw new MtlsError('VALUE_INVALID', { what: 'request cert', found: cert.slice(0, 40), expected: 'PEM' });
    const items = lintItems(lintablesIn(Buffer.from(cert, 'latin1'), 'the request'), { ...options, at, profile });
    return { id, findings: items.flatMap(({ findings }) => findings.map(({ code, severity, message }) => ({ code, severity, message }))) };
  } catch (error) {
    if (error instanceof MtlsError) return lintRefusal(error, id);
    // nested too deeply to be said in words
    if (error instanceof RangeError)
      return lintRefusal(
        new MtlsError('VALUE_INVALID', { what: 'request', found: text.slice(0, 40), expected: 'one flat JSON object' }),
        id,
      );
    throw error;
  }
}

/** The answer to what is no request. */
export const lintRefusal = ({ code, message }: MtlsError, id: Json = null): LintAnswer => ({
  id,
  findings: [{ code, severity: 'error', message }],
});
