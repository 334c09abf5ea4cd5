import { MtlsError } from '../../errors.js';
import { type LintOptions, type LintedFile, lintItems } from './lint.js';
import { LINT_RULES } from './rules.js';
import { lintablesOf } from './sources.js';

/** A file that could not be looked at. */
interface Unread {
  readonly file: string;
  readonly code: string;
  readonly message: string;
}

/** Each file; one among several that cannot be read does not keep the others from it. Throws what is wrong with the only one. */
export function lintFiles(
  paths: readonly string[],
  options: LintOptions,
): { readonly files: readonly LintedFile[]; readonly errors: readonly Unread[] } {
  const files: LintedFile[] = [];
  const errors: Unread[] = [];
  for (const file of paths) {
    try {
      files.push({ file, items: lintItems(lintablesOf(file), options) });
    } catch (error) {
      if (!(error instanceof MtlsError) || paths.length === 1) throw error;
      errors.push({ file, code: error.code, message: error.message });
    }
  }
  return { files, errors };
}

/** Codes of rules, as somebody wrote them. Throws VALUE_INVALID for one that no rule has. */
export function ruleCodes(codes: readonly string[]): readonly string[] {
  const unknown = codes.find((code) => !LINT_RULES.some(({ id }) => id === code));
  if (unknown === undefined) return codes;
  throw new MtlsError('VALUE_INVALID', { what: 'rule', found: unknown, expected: 'a code that mtls lint --rules lists' });
}
