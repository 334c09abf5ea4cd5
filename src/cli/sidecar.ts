import { type Workspace, existingService, openWorkspace } from '../authority/index.js';
import { MtlsError } from '../errors.js';
import type { ProxyOptions } from '../proxy/index.js';
import { readPassphrase } from './passphrase.js';
import { peerOf, trustDomainIn } from './peers.js';

interface SidecarFlags {
  readonly workspace?: string | undefined;
  readonly as?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  readonly crl?: string | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly 'allow-any': boolean;
  readonly expect?: readonly string[] | undefined;
  readonly listen: string;
  readonly 'passphrase-file'?: string | undefined;
  readonly 'passphrase-env'?: string | undefined;
}

/** Who the sidecar is, and whom it deals with: a service of the workspace, or files. Throws USAGE for neither, or for whom it never meets. */
export function sidecarOf(flags: SidecarFlags): Pick<ProxyOptions, 'files' | 'allow' | 'expect'> {
  assertDirection(flags);
  const workspace = flags.as === undefined ? undefined : openWorkspace(flags.workspace, process.cwd());
  const files = { ...filesOf(flags, workspace), passphrase: () => readPassphrase(flags) };
  const scope = { workspace, trustDomain: workspace === undefined ? trustDomainIn(files.certificate) : undefined };
  const allow = flags['allow-any'] ? ('any' as const) : flags.allow?.map((peer) => peerOf(peer, '--allow', scope));
  const expect = flags.expect?.map((peer) => peerOf(peer, '--expect', scope));
  return { files, ...(allow === undefined ? {} : { allow }), ...(expect === undefined ? {} : { expect }) };
}

/** Whoever names a peer for the other direction thinks that it is checked. */
function assertDirection({ listen, allow, 'allow-any': allowAny, expect }: SidecarFlags): void {
  const isInbound = listen.startsWith('mtls');
  const [given, ends] = isInbound
    ? [expect === undefined ? undefined : '--expect', "is for the caller's side; who may connect here is said with --allow"]
    : [
        allow === undefined ? (allowAny ? '--allow-any' : undefined) : '--allow',
        "is for the service's side; who the upstream must be is said with --expect",
      ];
  if (given !== undefined) throw new MtlsError('USAGE', { problem: `${given} ${ends}`, hint: 'mtls proxy --help' });
}

function filesOf({ as, cert, key, ca, crl }: SidecarFlags, workspace: Workspace | undefined): ProxyOptions['files'] {
  if (as !== undefined && workspace !== undefined) {
    const service = existingService(workspace, as);
    return { certificate: service.certificate, key: service.key, ca: service.ca, crl: crl ?? workspace.paths.crl };
  }
  if (cert === undefined || key === undefined || ca === undefined)
    throw new MtlsError('USAGE', {
      problem: 'who is this sidecar? give --as SERVICE, or --cert, --key and --ca',
      hint: 'mtls proxy --help',
    });
  return { certificate: cert, key, ca, ...(crl === undefined ? {} : { crl }) };
}
