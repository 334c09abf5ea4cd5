import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, type ErrorFacts, type MtlsError, isError, openWithPassphrase, shellWord } from '../errors.js';
import { type Typed, flagValue, typedAgain, withoutFlag } from './typed.js';

/** What to do about an error: what its table says, or more exactly what was typed, put right. */
export function hintsFor(error: MtlsError, typed: Typed): readonly string[] {
  const hints = missingOfWorkspace(error) ?? inContext(error, typed) ?? error.hints;
  const help = typed.command === undefined ? 'mtls --help' : `mtls ${typed.command} --help`;
  const directory = flagValue(typed.words, 'workspace');
  return (hints.length === 0 && WANTS_HELP.has(error.code) ? [help] : hints).map((hint) => inWorkspace(hint, directory));
}

/** What was typed is wrong, and the help says how it is right. */
const WANTS_HELP: ReadonlySet<ErrorCode> = new Set(['USAGE', 'VALUE_INVALID', 'NAME_NOT_DNS_LABEL']);

type InContext<Code extends ErrorCode> = (facts: ErrorFacts<Code>, command: string, typed: Typed) => readonly string[] | undefined;

const IN_CONTEXT: { readonly [Code in ErrorCode]?: InContext<Code> } = {
  FILE_EXISTS: (_facts, command, { words, flags }) => (flags.includes('force') ? [typedAgain(command, [...words, '--force'])] : undefined),
  WORKSPACE_NOT_FOUND: (_facts, command, { words }) =>
    command === 'import' ? [typedAgain(command, [...words, '--out', 'DIR'])] : undefined,
  KEY_ENCRYPTED: (_facts, command, typed) => askForPassphrase(command, typed),
  PASSPHRASE_WRONG: (_facts, command, typed) => askForPassphrase(command, typed),
  PASSPHRASE_MISSING: (_facts, command, typed) =>
    typed.flags.includes('new-passphrase-env') ? askForPassphrase(command, typed, 'new-') : askForPassphrase(command, typed),
  NAME_NOT_DNS_LABEL: ({ name, suggestion }, command, { words }) => {
    if (suggestion === undefined || !words.includes(name)) return undefined;
    return [typedAgain(command, words.with(words.indexOf(name), suggestion))];
  },
  CSR_ASKS_BEYOND: ({ flags, asked }, command, { words }) =>
    flags.length < asked.length ? undefined : [typedAgain(command, [...words, ...flags.flatMap((flag) => flag.split(/ (.*)/s, 2))])],
  PROXY_PLAINTEXT: ({ endpoint }, command, { words }) => {
    const at = words.findIndex((word) => word.endsWith(endpoint));
    if (at < 0) return undefined;
    const local = words[at]!.replace(/:\/\/.*(?=:\d+\/?$)/, '://127.0.0.1');
    return [typedAgain(command, words.with(at, local)), 'or, on a network that you trust, say so with --unsafe-plaintext'];
  },
};

function inContext<Code extends ErrorCode>(error: MtlsError<Code>, typed: Typed): readonly string[] | undefined {
  return typed.command === undefined ? undefined : IN_CONTEXT[error.code]?.(error.facts, typed.command, typed);
}

function askForPassphrase(command: string, { words, flags }: Typed, which: '' | 'new-' = ''): readonly string[] | undefined {
  if (!flags.includes(`${which}passphrase-env`)) return undefined;
  const ladder = ['passphrase-file', 'passphrase-env', 'passphrase-fd', 'passphrase-command'].map((flag) => `${which}${flag}`);
  return [openWithPassphrase(typedAgain(command, ladder.reduce(withoutFlag, words)), `--${which}passphrase-env`)];
}

/** What a workspace has lost and can make again. A key of a CA, or its ledger, is not among it. */
function missingOfWorkspace(error: MtlsError): readonly string[] | undefined {
  const path = OF_FILES.flatMap((code) => (isError(error, code) ? [error.facts.path] : []))[0];
  if (path === undefined) return undefined;
  const [, directory, file] = /^(.*)\/((?:authority|services)\/.+|workspace\.json)$/s.exec(path) ?? [];
  if (file === undefined || !existsSync(join(directory!, 'workspace.json'))) return undefined;
  const [, service] = /^services\/([^/]+)\/(?:tls\.crt|tls\.key|ca\.crt)$/.exec(file) ?? [];
  if (service !== undefined) return [`mtls issue ${shellWord(service)}`];
  const copy = (from: string): string => `cp ${shellWord(`${directory}/authority/${from}`)} ${shellWord(path)}`;
  switch (file) {
    case 'authority/root.crl':
      return [crlAgain(join(directory!, 'authority'))];
    case 'authority/bundle.pem':
      return [copy('root.crt')];
    case 'authority/root.crt':
      return [copy('bundle.pem')];
    case 'authority/root.key':
    case 'authority/ledger.jsonl':
    case 'workspace.json':
      return ['put it back from a backup: nothing else has what was in it'];
    default:
      return undefined;
  }
}

/** Whoever has the key of the root can sign its CRL. */
function crlAgain(authority: string): string {
  if (existsSync(join(authority, 'root.key'))) return 'mtls crl';
  const issuing = join(authority, 'issuing.crt');
  const isRequested = existsSync(join(authority, 'issuing.csr'));
  return isRequested ? `mtls authority install ${shellWord(issuing)} --crl FILE` : 'mtls authority unseal FILE';
}

const OF_FILES = ['FILE_NOT_FOUND', 'FILE_EMPTY', 'FILE_UNRECOGNIZED', 'CERTIFICATE_NOT_IN_FORCE', 'CRL_NOT_OF_CA'] as const;

/** A command of ours, for the workspace that was named. */
function inWorkspace(hint: string, directory: string | undefined): string {
  if (directory === undefined || !OF_WORKSPACE.test(hint) || hint.includes('--workspace')) return hint;
  return `${hint} --workspace ${shellWord(directory)}`;
}

const OF_WORKSPACE = /^mtls (?:init|authority|issue|export|import|revoke|crl|list)\b/;
