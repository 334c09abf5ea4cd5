import * as Flags from '@oclif/core/flags';
import { MtlsError } from '../errors.js';
import { firstLineOfCommand, firstLineOfDescriptor, firstLineOfFile, valueOfVariable } from './passphrase-sources.js';
import type * as Prompts from './prompts.js';

/**
 * Where a passphrase may come from, whether it opens something or is to protect something new. Never from the command
 * line itself: others can read that. Without any of these somebody is asked, where there is somebody.
 */
export const passphraseFlags = {
  'passphrase-file': Flags.string({
    summary: 'the file whose first line is the passphrase',
    helpValue: 'FILE',
    exclusive: ['passphrase-env', 'passphrase-fd', 'passphrase-command'],
  }),
  'passphrase-env': Flags.string({
    summary: 'the environment variable that holds it',
    helpValue: 'NAME',
    exclusive: ['passphrase-fd', 'passphrase-command'],
  }),
  'passphrase-fd': Flags.integer({
    summary: 'the open file descriptor whose next line it is',
    helpValue: 'N',
    min: 0,
    exclusive: ['passphrase-command'],
  }),
  'passphrase-command': Flags.string({ summary: 'the shell command that prints it', helpValue: 'CMD' }),
};

/** The same for a passphrase that takes the place of another one. */
export const newPassphraseFlags = {
  'new-passphrase-file': Flags.string({
    summary: 'the file whose first line is the new passphrase',
    helpValue: 'FILE',
    exclusive: ['new-passphrase-env', 'new-passphrase-fd', 'new-passphrase-command'],
  }),
  'new-passphrase-env': Flags.string({
    summary: 'the environment variable that holds the new one',
    helpValue: 'NAME',
    exclusive: ['new-passphrase-fd', 'new-passphrase-command'],
  }),
  'new-passphrase-fd': Flags.integer({
    summary: 'the open file descriptor whose next line is the new one',
    helpValue: 'N',
    min: 0,
    exclusive: ['new-passphrase-command'],
  }),
  'new-passphrase-command': Flags.string({ summary: 'the shell command that prints the new one', helpValue: 'CMD' }),
};

type NewPassphraseFlags = { readonly [Name in keyof typeof newPassphraseFlags]?: PassphraseFlags[OldName<Name>] };
type OldName<Name extends string> = Name extends `new-${infer Old extends keyof PassphraseFlags}` ? Old : never;

/** What the flags say of the new passphrase, for `newPassphrase` and `namesPassphrase`. */
export const ofNew = (flags: NewPassphraseFlags): PassphraseFlags => ({
  'passphrase-file': flags['new-passphrase-file'],
  'passphrase-env': flags['new-passphrase-env'],
  'passphrase-fd': flags['new-passphrase-fd'],
  'passphrase-command': flags['new-passphrase-command'],
});

export interface PassphraseFlags {
  readonly 'passphrase-file'?: string | undefined;
  readonly 'passphrase-env'?: string | undefined;
  readonly 'passphrase-fd'?: number | undefined;
  readonly 'passphrase-command'?: string | undefined;
}

/** Finds the passphrase for the encrypted file at `path`; the same one again, however often it is called. */
export type PassphraseSource = (path: string) => Promise<string>;

/**
 * A source that does nothing until something encrypted is met: then it reads what the flags name, or asks, for each path
 * once. It throws KEY_ENCRYPTED when there is nobody to ask, INTERRUPTED, or what is wrong with what the flags name.
 */
export function passphraseSource(flags: PassphraseFlags): PassphraseSource {
  const found = new Map<string, Promise<string>>();
  return (path) => {
    // what is named by a flag is read once: it is for all files, and a descriptor has no second line for the next one
    const about = namesPassphrase(flags) ? '' : path;
    const answer = found.get(about) ?? openingPassphrase(flags, path);
    found.set(about, answer);
    return answer;
  };
}

/**
 * A passphrase to protect `what`: the one that the flags name, which `source` may have read already to open something; or
 * one that somebody types, twice. Throws PASSPHRASE_MISSING when there is nobody to ask, VALUE_INVALID for an empty one,
 * and what `passphraseSource` throws.
 */
export async function newPassphrase(flags: PassphraseFlags, what: string, source = passphraseSource(flags)): Promise<string> {
  const passphrase = namesPassphrase(flags) ? await source(what) : await asked((prompts) => prompts.askForNewPassphrase(what));
  if (passphrase === undefined) throw new MtlsError('PASSPHRASE_MISSING', { what });
  if (passphrase === '') throw new MtlsError('VALUE_INVALID', { what: 'passphrase', found: '', expected: 'at least one character' });
  return passphrase;
}

/**
 * For a process that opens the file at `path` again and again, with nobody before it: a file or a variable is read anew
 * each time, for it may change with the key; the rest is found out now, once.
 */
export async function lastingPassphrase(flags: PassphraseFlags, path: string, isNeeded: () => boolean): Promise<() => string | undefined> {
  const { 'passphrase-file': file, 'passphrase-env': variable } = flags;
  if (file !== undefined) return () => firstLineOfFile(file);
  if (variable !== undefined) return () => valueOfVariable(variable);
  const passphrase = namesPassphrase(flags) || isNeeded() ? await openingPassphrase(flags, path) : undefined;
  return () => passphrase;
}

/** Is there a flag that names one? */
export const namesPassphrase = (flags: PassphraseFlags): boolean =>
  Object.keys(passphraseFlags).some((flag) => flags[flag as keyof PassphraseFlags] !== undefined);

async function openingPassphrase(flags: PassphraseFlags, path: string): Promise<string> {
  const passphrase = (await namedPassphrase(flags)) ?? (await asked((prompts) => prompts.askForPassphrase(path)));
  if (passphrase === undefined) throw new MtlsError('KEY_ENCRYPTED', { path });
  return passphrase;
}

/** What the flags name; undefined when they name nothing. */
async function namedPassphrase(flags: PassphraseFlags): Promise<string | undefined> {
  const { 'passphrase-file': file, 'passphrase-env': variable, 'passphrase-fd': descriptor, 'passphrase-command': command } = flags;
  if (file !== undefined) return firstLineOfFile(file);
  if (variable !== undefined) return valueOfVariable(variable);
  if (descriptor !== undefined) return firstLineOfDescriptor(descriptor);
  return command === undefined ? undefined : firstLineOfCommand(command);
}

/** Can somebody be asked? stdout may be a pipe: a passphrase is asked for on stderr. */
export const isSomebodyThere = (): boolean =>
  process.stdin.isTTY === true && process.stderr.isTTY === true && process.env['CI'] === undefined;

/** The answer of whoever sits there; undefined when there is nobody. */
async function asked(ask: (prompts: typeof Prompts) => Promise<string>): Promise<string | undefined> {
  return isSomebodyThere() ? ask(await import('./prompts.js')) : undefined;
}
