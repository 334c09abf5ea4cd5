import { statSync } from 'node:fs';
import { type Workspace, crlPaths, existingService, openWorkspace } from '../authority/index.js';
import { FILE_LIMIT, readFileBounded } from '../base/files.js';
import { MtlsError } from '../errors.js';
import type { ProxyOptions } from '../proxy/index.js';
import { isEncryptedKey } from '../pki/key.js';
import { type PassphraseFlags, lastingPassphrase } from './passphrase.js';
import { peerOf, trustDomainIn } from './peers.js';

interface SidecarFlags extends PassphraseFlags {
  readonly workspace?: string | undefined;
  readonly as?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  readonly crl?: string | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly 'allow-any': boolean;
  readonly expect?: readonly string[] | undefined;
  readonly staple?: string | undefined;
  readonly listen: string;
}

/** Who the sidecar is, and whom it deals with: a service of the workspace, or files. Throws USAGE for neither, or for whom it never meets. */
export async function sidecarOf(flags: SidecarFlags): Promise<Pick<ProxyOptions, 'files' | 'allow' | 'expect'>> {
  assertDirection(flags);
  const workspace = flags.as === undefined ? undefined : openWorkspace(flags.workspace, process.cwd());
  const named = filesOf(flags, workspace);
  const files = { ...named, passphrase: await lastingPassphrase(flags, named.key, () => isClosed(named.key)) };
  const scope = { workspace, trustDomain: workspace === undefined ? trustDomainIn(files.certificate) : undefined };
  const allow = flags['allow-any'] ? ('any' as const) : flags.allow?.map((peer) => peerOf(peer, '--allow', scope));
  const expect = flags.expect?.map((peer) => peerOf(peer, '--expect', scope));
  return { files, ...(allow === undefined ? {} : { allow }), ...(expect === undefined ? {} : { expect }) };
}

/** What a pipe holds is read once, by whoever needs the key. */
const isClosed = (key: string): boolean =>
  statSync(key, { throwIfNoEntry: false })?.isFile() === true && isEncryptedKey(readFileBounded(key, FILE_LIMIT, 'a private key'));

/** Whoever names a peer for the other direction thinks that it is checked. */
function assertDirection({ listen, allow, 'allow-any': allowAny, expect, staple }: SidecarFlags): void {
  const isInbound = listen.startsWith('mtls');
  const [given, ends] = isInbound
    ? [expect === undefined ? undefined : '--expect', "is for the caller's side; who may connect here is said with --allow"]
    : [
        allow === undefined ? (allowAny ? '--allow-any' : undefined) : '--allow',
        "is for the service's side; who the upstream must be is said with --expect",
      ];
  if (given !== undefined) throw new MtlsError('USAGE', { problem: `${given} ${ends}`, hint: 'mtls proxy --help' });
  if (staple !== undefined && !isInbound)
    throw new MtlsError('USAGE', { problem: "--staple is for the service's side: only a server staples", hint: 'mtls proxy --help' });
}

function filesOf({ as, cert, key, ca, crl }: SidecarFlags, workspace: Workspace | undefined): ProxyOptions['files'] {
  if (as !== undefined && workspace !== undefined) {
    const service = existingService(workspace, as);
    return { certificate: service.certificate, key: service.key, ca: service.ca, crl: crl ?? (() => crlPaths(workspace.paths)) };
  }
  if (cert === undefined || key === undefined || ca === undefined)
    throw new MtlsError('USAGE', {
      problem: 'who is this sidecar? give --as SERVICE, or --cert, --key and --ca',
      hint: 'mtls proxy --help',
    });
  return { certificate: cert, key, ca, ...(crl === undefined ? {} : { crl }) };
}
