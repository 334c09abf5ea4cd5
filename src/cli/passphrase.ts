import * as Flags from '@oclif/core/flags';
import type { OptionFlag } from '@oclif/core/interfaces';
import { MtlsError } from '../errors.js';
import { firstLineOfCommand, firstLineOfDescriptor, firstLineOfFile, valueOfVariable } from './passphrase-sources.js';
import type * as Prompts from './prompts.js';

/** The flags of one ladder: `--passphrase-file` and the others, each name with something before it. */
type Ladder<Before extends string> = {
  readonly [Name in `${Before}passphrase-${'file' | 'env' | 'command'}`]: OptionFlag<string | undefined>;
} & {
  readonly [Name in `${Before}passphrase-fd`]: OptionFlag<number | undefined>;
};

/** What they say. */
type Said<Before extends string> = { readonly [Name in keyof PassphraseFlags as `${Before}${Name}`]?: PassphraseFlags[Name] };

const RUNGS = ['file', 'env', 'fd', 'command'] as const;

function ladder<Before extends string>(before: Before, summaries: Readonly<Record<(typeof RUNGS)[number], string>>): Ladder<Before> {
  const names = RUNGS.map((rung) => `${before}passphrase-${rung}`);
  const [file, env, fd, command] = names as [string, string, string, string];
  return {
    [file]: Flags.string({ summary: summaries.file, helpValue: 'FILE', exclusive: names.slice(1) }),
    [env]: Flags.string({ summary: summaries.env, helpValue: 'NAME', exclusive: names.slice(2) }),
    [fd]: Flags.integer({ summary: summaries.fd, helpValue: 'N', min: 0, exclusive: names.slice(3) }),
    [command]: Flags.string({ summary: summaries.command, helpValue: 'CMD' }),
  } as Ladder<Before>;
}

const withoutBefore =
  <Before extends string>(before: Before) =>
  (flags: Said<Before>): PassphraseFlags =>
    Object.fromEntries(RUNGS.map((rung) => [`passphrase-${rung}`, flags[`${before}passphrase-${rung}` as keyof Said<Before>]]));

/**
 * Where a passphrase may come from, whether it opens something or is to protect something new. Never from the command
 * line itself: others can read that. Without any of these somebody is asked, where there is somebody.
 */
export const passphraseFlags = ladder('', {
  file: 'the file whose first line is the passphrase',
  env: 'the environment variable that holds it',
  fd: 'the open file descriptor whose next line it is',
  command: 'the shell command that prints it',
});

/** The same for a passphrase that takes the place of another one. */
export const newPassphraseFlags = ladder('new-', {
  file: 'the file whose first line is the new passphrase',
  env: 'the environment variable that holds the new one',
  fd: 'the open file descriptor whose next line is the new one',
  command: 'the shell command that prints the new one',
});

/** What the flags say of the new passphrase, for `newPassphrase` and `namesPassphrase`. */
export const ofNew = withoutBefore('new-');

/** The same for the passphrase of the keys of services. */
export const keyPassphraseFlags = ladder('key-', {
  file: 'put tls.key under the first line of the file',
  env: 'put tls.key under what the environment variable holds',
  fd: 'put tls.key under the next line of the open file descriptor',
  command: 'put tls.key under what the shell command prints',
});

/** What the flags say of it. */
const ofKeys = withoutBefore('key-');

/** Finds what keys of services are to be under; undefined when they are to lie open, which is so unless a flag names a passphrase. */
export function keyPassphraseSource(flags: Said<'key-'>, sourceOf = passphraseSource): PassphraseSource | undefined {
  const named = ofKeys(flags);
  if (!namesPassphrase(named)) return undefined;
  const source = sourceOf(named);
  return (path) => newPassphrase(named, path, source);
}

/** The one passphrase that they are to be under. Throws VALUE_INVALID for an empty one, and what `passphraseSource` throws. */
export const keyPassphraseOf = async (flags: Said<'key-'>): Promise<string | undefined> => keyPassphraseSource(flags)?.('tls.key');

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

/** A source for a process that runs on: what may change, or fail and come back, is asked anew each time. */
export function lastingSource(flags: PassphraseFlags): PassphraseSource {
  const isOnce = !namesPassphrase(flags) || flags['passphrase-fd'] !== undefined;
  return isOnce ? passphraseSource(flags) : (path) => openingPassphrase(flags, path);
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
