import { realpathSync, statSync } from 'node:fs';
import { readFileBounded, writeFileAtomic } from '../../base/files.js';
import { type Json, JsonObject } from '../../base/json.js';
import { MtlsError } from '../../errors.js';
import type { LintedFile } from './lint.js';

/** Findings that are known, by code and by what they were found in. */
export interface Baseline {
  readonly knows: (code: string, sha256: string) => boolean;
}

/** Nothing is known. */
export const NO_BASELINE: Baseline = { knows: () => false };

const key = (code: string, sha256: string): string => `${code} ${sha256}`;

/**
 * Reads a file of known findings. Throws what reading it throws, or VALUE_INVALID.
 *
 *     { "version": 1, "known": [{ "code", "sha256", "label" }, …] }
 */
export function readBaseline(path: string): Baseline {
  const text = readFileBounded(path).toString('utf8');
  const file = JsonObject.parse(text, path);
  const found = file.optionalCount('version');
  if (found !== 1) throw new MtlsError('VALUE_INVALID', { what: `${path} version`, found: String(found), expected: '1' });
  const { known } = JSON.parse(text) as { readonly known?: Json };
  if (!Array.isArray(known))
    throw new MtlsError('VALUE_INVALID', { what: `${path} known`, found: JSON.stringify(known ?? null).slice(0, 40), expected: 'a list' });
  const keys = new Set(
    (known as readonly Json[]).map((entry, i) => {
      const one = JsonObject.of(entry, `${path} known[${i}]`);
      return key(one.string('code'), one.string('sha256'));
    }),
  );
  return { knows: (code, sha256) => keys.has(key(code, sha256)) };
}

/** The file that `path` leads to, or that will be there; what is no regular file is not replaced by one. */
function asRegularFile(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return path;
  if (!stat.isFile()) throw new MtlsError('VALUE_INVALID', { what: '--write-baseline', found: path, expected: 'a regular file' });
  return realpathSync(path);
}

/** Writes all findings as known, sorted, so that the same findings are the same file. Answers how many there are. */
export function writeBaseline(path: string, files: readonly LintedFile[]): number {
  const items = files.flatMap((file) => file.items);
  const entries = items.flatMap(({ label, sha256, findings }) => findings.map(({ code }) => ({ code, sha256, label })));
  const known = [...new Map(entries.map((entry) => [key(entry.code, entry.sha256), entry])).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileAtomic(asRegularFile(path), `${JSON.stringify({ version: 1, known: known.map(([, entry]) => entry) }, undefined, 2)}\n`);
  return known.length;
}
