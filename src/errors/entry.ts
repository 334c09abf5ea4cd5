/** How a process of ours ends. Bad is a result, not an exception: see docs/architecture.md. */
export const EXIT = { good: 0, bad: 1, could_not: 2, bug: 70, interrupted: 130 } as const;

/** A process's exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorEntry<Facts> {
  /** When it happens, for the reference. */
  readonly when: string;
  readonly message: (facts: Facts) => string;
  readonly hints?: (facts: Facts) => readonly string[];
  readonly exit?: ExitCode;
}

/** Fixes the facts of an entry, so that the constructor can ask for them. */
export const entry = <Facts = Record<string, never>>(definition: ErrorEntry<Facts>): ErrorEntry<Facts> => definition;

export interface InFile {
  readonly path: string;
}

/** A write: to a file, or to a stream of the process. What was done before a stream failed is done. */
export interface Write extends InFile, Partial<Done> {
  readonly stream?: true;
}

/** What was done before a write failed, and the command that does the rest. */
export interface Done {
  readonly done: string;
  readonly rest: string;
}

/** One thing that a policy does not allow; `rule` is its key in the file. */
export interface PolicyViolation {
  readonly rule: string;
  readonly asked: string;
  readonly allowed: readonly string[];
  readonly message: string;
}

export const undone = ({ stream, done }: Write): string =>
  stream === true ? 'what was to be printed is lost' : (done ?? 'nothing was changed');
export const doTheRest = ({ rest }: Write): readonly string[] => (rest === undefined ? [] : [rest]);
export const look = (path: string): string => `head -c 64 ${shellWord(path)} | od -c`;
export const inPath = (path: string | undefined): string => (path === undefined ? '' : `, in ${path}`);

export const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

export const few = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

/** `word` as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command that reads a passphrase from the terminal and hands it on where no other user can see it. */
export const openWithPassphrase = (command: string, flag = '--passphrase-env'): string =>
  `read -rs MTLS_PASSPHRASE && MTLS_PASSPHRASE=$MTLS_PASSPHRASE ${command} ${flag} MTLS_PASSPHRASE`;

/** For keys that must be readable without anybody at the keyboard. `word` is the path as a shell reads it. */
export const decryptInPlace = (word: string): string =>
  `(umask 077 && openssl pkey -in ${word} -out ${word}.new && mv ${word}.new ${word})`;

export const directoryOf = (path: string): string => /^(.*)\/[^/]*$/s.exec(path)?.[1]?.replace(/^$/, '/') ?? '.';
