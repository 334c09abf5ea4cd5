import * as Flags from '@oclif/core/flags';
import { MtlsError } from '../errors.js';

/** Flags that several commands share, each with one meaning. */
export const workspaceFlag = Flags.string({
  summary: 'the workspace, or the directory that holds its .mtls',
  env: 'MTLS_WORKSPACE',
  helpValue: 'DIR',
  helpGroup: 'GLOBAL',
});

/** A flag that may be given several times, one value each. */
export const listFlag = (summary: string, helpValue: string) =>
  Flags.string({ summary, multiple: true, multipleNonGreedy: true, helpValue });

/** The words of a command that takes one or more. Throws USAGE. */
export function oneOrMore(words: readonly unknown[], expected: string, hint: string): readonly string[] {
  if (words.length === 0) throw new MtlsError('USAGE', { problem: `missing: ${expected}`, hint });
  return words as readonly string[];
}
