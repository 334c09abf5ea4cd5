import { FILE_LIMIT, assertPrivate, readFileBounded } from '../base/files.js';
import { MtlsError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../pki/key.js';
import { readCertificates } from '../pki/material.js';
import type { ProbeOptions } from '../probe/index.js';
import { given } from '../base/given.js';
import type { PassphraseSource } from './passphrase.js';
import { crlsFrom } from './trust.js';

interface ClientFlags {
  readonly as?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly crl?: readonly string[] | undefined;
  readonly workspace?: string | undefined;
  /** Where the key is encrypted. */
  readonly passphrase: PassphraseSource;
}

type ClientOptions = Pick<ProbeOptions, 'client' | 'authorities' | 'crls' | 'labels'>;

/**
 * Who is at the door, and whom they trust: a service of the workspace with its CA and CRL (`--as`), or files. Files win
 * over the workspace. Throws USAGE, FILE_MODE_TOO_OPEN, KEY_MISMATCH, SERVICE_NOT_FOUND, or the errors of reading files.
 */
export async function clientOf(flags: ClientFlags): Promise<ClientOptions> {
  if ((flags.cert === undefined) !== (flags.key === undefined))
    throw new MtlsError('USAGE', {
      problem: `--${flags.cert === undefined ? 'key' : 'cert'} needs --${flags.cert === undefined ? 'cert' : 'key'}`,
    });
  const service = flags.as === undefined ? undefined : await serviceOf(flags.as, flags.workspace);
  const certificate = flags.cert ?? service?.certificate;
  const key = flags.key ?? service?.key;
  const authorities = flags.ca?.flatMap(readCertificates) ?? service?.authorities;
  const crls = flags.crl === undefined ? (flags.ca === undefined ? service?.crls : undefined) : crlsFrom(flags.crl);
  return {
    ...(certificate === undefined || key === undefined ? {} : { client: await identityOf(certificate, key, flags.passphrase) }),
    ...(authorities === undefined ? {} : { authorities }),
    ...(crls === undefined ? {} : { crls }),
    labels: {
      ...(flags.as === undefined ? {} : { service: flags.as }),
      ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
      ...given({ authorities: flags.ca?.[0] ?? service?.ca }),
      ...(flags.as === undefined && certificate === undefined ? { services: await servicesOf(flags.workspace) } : {}),
      ...(flags.crl === undefined ? {} : { crls: flags.crl[0]! }),
    },
  };
}

async function identityOf(certificate: string, key: string, passphrase: PassphraseSource): Promise<NonNullable<ProbeOptions['client']>> {
  const chain = readCertificates(certificate);
  assertPrivate(key);
  const bytes = readFileBounded(key, FILE_LIMIT, 'a private key');
  const privateKey = readPrivateKey(bytes, key, isEncryptedKey(bytes) ? await passphrase(key) : undefined);
  if (!isKeyOf(privateKey, chain[0]!.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate, key });
  return { chain, key: privateKey };
}

interface ServiceFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly authorities: readonly Certificate[];
  readonly crls: readonly Crl[];
}

async function serviceOf(name: string, workspace: string | undefined): Promise<ServiceFiles> {
  const { existingService, openWorkspace, readWorkspaceCrls } = await import('../authority/index.js');
  const opened = openWorkspace(workspace, process.cwd());
  const { certificate, key, ca } = existingService(opened, name);
  return { certificate, key, ca, authorities: readCertificates(ca), crls: readWorkspaceCrls(opened.paths) };
}

/** Whom the user could have named, when there is a workspace; what is wrong with it is not asked about here. */
async function servicesOf(workspace: string | undefined): Promise<readonly string[]> {
  const { openWorkspace, serviceNames } = await import('../authority/index.js');
  try {
    return serviceNames(openWorkspace(workspace, process.cwd()));
  } catch (error) {
    if (error instanceof MtlsError) return [];
    throw error;
  }
}
