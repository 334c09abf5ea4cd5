import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { KeyObject } from 'node:crypto';
import { type Stats, existsSync, lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ServicePaths, assertSigned, existingService, openWorkspace } from '../authority/index.js';
import { FILE_LIMIT, assertPrivate, readFileBounded, writeFileAtomic } from '../base/files.js';
import { MtlsError, shellWord } from '../errors.js';
import { type Certificate, fingerprint } from '../pki/certificate.js';
import { chainUpTo } from '../pki/chain.js';
import { isoTime, serialText } from '../pki/fields.js';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../pki/key.js';
import { readCertificates } from '../pki/material.js';
import { labelOf } from '../pki/name.js';
import { type ExportView, renderExport } from '../render/export.js';
import { workspaceFlag } from './flags.js';
import type { Outcome } from './outcome.js';
import type { PassphraseSource } from './passphrase.js';

export const exportArgs = { NAME: Args.string({ ignoreStdin: true, description: 'a service of the workspace' }) };

/** Flags of everything that is exported. */
export const exportFlags = (extension: string) => ({
  workspace: workspaceFlag,
  trust: Flags.boolean({ summary: 'the CAs that all services trust, instead of a service' }),
  out: Flags.string({ char: 'o', summary: `the file to write [default: NAME.${extension}, here]`, helpValue: 'FILE' }),
  force: Flags.boolean({ summary: 'replace the file, if it is there' }),
});

interface ExportFlags {
  readonly workspace?: string | undefined;
  readonly trust: boolean;
  readonly out?: string | undefined;
  readonly force: boolean;
}

/** What is to be exported: the certificates of a service, or those that all services trust. */
export interface Subject {
  /** Undefined for the CAs. */
  readonly service: (ServicePaths & { readonly name: string }) | undefined;
  /** A service's own first, with what it sends behind it. */
  readonly chain: readonly Certificate[];
  /** The chain up to its root. */
  readonly fullChain: readonly Certificate[];
}

/** Throws USAGE unless a service or `--trust` is named, SERVICE_NOT_FOUND, and the errors of reading files. */
export function subjectOf({ workspace, trust }: ExportFlags, name: string | undefined): Subject {
  if (trust && name !== undefined) throw new MtlsError('USAGE', { problem: `--trust is about the CAs, and not about ${name}` });
  if (!trust && name === undefined) throw new MtlsError('USAGE', { problem: 'missing: a service of the workspace, or --trust' });
  const opened = openWorkspace(workspace, process.cwd());
  if (name === undefined) {
    assertSigned(opened.paths);
    const trusted = readCertificates(opened.paths.bundle);
    return { service: undefined, chain: trusted, fullChain: trusted };
  }
  const service = { name, ...existingService(opened, name) };
  const chain = readCertificates(service.certificate);
  return { service, chain, fullChain: chainUpTo(readCertificates(service.ca), chain) };
}

/**
 * The file to write, before anybody is asked for anything. Throws FILE_EXISTS unless it may be replaced, and
 * FILE_NOT_WRITABLE for a directory or a device, which a rename would not fill but replace.
 */
export function destinationOf({ out, force }: ExportFlags, { service }: Subject, extension: string): string {
  const path = resolve(out ?? `${service?.name ?? 'trust'}.${extension}`);
  const there: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return path;
  if (!there.isFile() && !there.isSymbolicLink())
    throw new MtlsError('FILE_NOT_WRITABLE', { path, reason: there.isDirectory() ? 'it is a directory' : 'it is no file' });
  if (!force) throw new MtlsError('FILE_EXISTS', { path });
  return path;
}

/** The private key of a service, opened by `passphrase` where it is encrypted. Throws USAGE when it is not here, and what is wrong with it. */
export async function keyOf({ service, chain }: Subject, passphrase: PassphraseSource, without: string): Promise<KeyObject> {
  const { name, key: path, certificate } = service!;
  if (!existsSync(path)) throw new MtlsError('USAGE', { problem: `the key of ${name} is not here`, hint: `${without} ${shellWord(name)}` });
  assertPrivate(path);
  const bytes = readFileBounded(path, FILE_LIMIT, 'a private key');
  const key = readPrivateKey(bytes, path, isEncryptedKey(bytes) ? await passphrase(path) : undefined);
  if (!isKeyOf(key, chain[0]!.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate, key: path });
  return key;
}

/** Something that was encoded, to be written. */
interface Encoded extends Pick<ExportView, 'format' | 'key' | 'encrypted'> {
  readonly bytes: string | Buffer;
  readonly certificates: readonly Certificate[];
  readonly crls?: number;
}

/** Writes it, with mode 0600 where there is a key in it. Throws DISK_FULL or FILE_NOT_WRITABLE, and leaves what was there. */
export function writeExport(path: string, { service }: Subject, encoded: Encoded): Outcome {
  const { bytes, format, key, encrypted, crls = 0 } = encoded;
  writeFileAtomic(path, bytes, key ? 0o600 : 0o644);
  const certificates = encoded.certificates.map((certificate) => ({
    name: labelOf(certificate.subject),
    serial: serialText(certificate.serial),
    notAfter: isoTime(certificate.notAfter),
    sha256: fingerprint(certificate),
  }));
  const result: ExportView = { path, format, name: service?.name ?? null, key, encrypted, certificates, crls };
  return { result, text: () => renderExport(result) };
}
