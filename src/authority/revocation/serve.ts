import { basename } from 'node:path';
import { crlPaths, readWorkspaceCrls } from './crl.js';
import { crlRoute } from './crl-route.js';
import { OcspResponder } from './ocsp-responder.js';
import { ocspRoute } from './ocsp-route.js';
import { OcspSource } from './ocsp-source.js';
import type { RevocationServerOptions, RunningServer } from './server.js';
import type { Workspace } from '../workspace.js';

/** Where and how to serve. */
export type ServeOptions = Omit<RevocationServerOptions, 'route'>;

/** Serves the CRL of each CA of a workspace over HTTP, by the name of its file. Throws what is wrong with one, or LISTEN_FAILED. */
export async function serveCrls({ paths }: Workspace, options: ServeOptions): Promise<RunningServer> {
  readWorkspaceCrls(paths);
  const ofCas = () => crlPaths(paths).filter((path) => path !== paths.chainCrls);
  const served = () => ofCas().map((path) => ({ name: basename(path), path }));
  return start({ ...options, route: crlRoute(served) });
}

/**
 * Answers by OCSP for each CA of a workspace whose key is at hand, an answer being good for `validity` milliseconds. Throws
 * what is wrong with the workspace or with all of the keys, or LISTEN_FAILED.
 */
export async function serveOcsp(
  workspace: Workspace,
  { validity, ...options }: ServeOptions & { readonly validity?: number },
): Promise<RunningServer> {
  const source = new OcspSource(workspace, options.log);
  await source.assertOpen(options.clock());
  const responder = new OcspResponder((now) => source.authoritiesAt(now), validity);
  return start({ ...options, route: ocspRoute(responder) });
}

/** Node's HTTP is loaded when it is needed: the other commands start sooner without. */
async function start(options: RevocationServerOptions): Promise<RunningServer> {
  const { startRevocationServer } = await import('./server.js');
  return startRevocationServer(options);
}
