import * as Flags from '@oclif/core/flags';
import { readFileBounded } from '../base/files.js';
import { MtlsError } from '../errors.js';

/** Where a passphrase may come from. Never from the command line itself: others can read that. */
export const passphraseFlags = {
  'passphrase-file': Flags.string({ summary: 'its first line opens encrypted files', helpValue: 'FILE', exclusive: ['passphrase-env'] }),
  'passphrase-env': Flags.string({ summary: 'the environment variable that holds the passphrase', helpValue: 'NAME' }),
};

interface PassphraseFlags {
  readonly 'passphrase-file'?: string | undefined;
  readonly 'passphrase-env'?: string | undefined;
}

/** The passphrase that the flags name; undefined when they name none. Throws VALUE_INVALID for a variable that is not set. */
export function readPassphrase({ 'passphrase-file': file, 'passphrase-env': variable }: PassphraseFlags): string | undefined {
  if (file !== undefined) return readFileBounded(file, 65_536, 'a passphrase').toString('utf8').split(/\r?\n/, 1)[0]!;
  if (variable === undefined) return undefined;
  const value = process.env[variable];
  if (value !== undefined) return value;
  throw new MtlsError('VALUE_INVALID', { what: '--passphrase-env', found: variable, expected: 'the name of a variable that is set' });
}
