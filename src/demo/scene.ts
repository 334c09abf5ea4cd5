import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type IssueRequest, type Workspace, crlPaths, initializeWorkspace, issueCertificates, servicePaths } from '../authority/index.js';
import { serialText } from '../pki/fields.js';
import { labelOf } from '../pki/name.js';
import { nullLog } from '../base/log.js';
import { type AuditLine, type ProxyOptions, type RunningProxy, parseEndpoint, startProxy } from '../proxy/index.js';
import type { DemoOptions } from './demo.js';

/** The request that went through, with who was on either end as the certificates say. */
export interface Passage {
  readonly ok: boolean;
  readonly status: number;
  /** The caller, as the sidecar of the service read it off the certificate. */
  readonly caller: string | null;
  /** The service, as the sidecar of the caller read it off the certificate. */
  readonly service: string | null;
  /** What the plain HTTP service was told about its caller. */
  readonly forwarded: string;
  readonly version: string | null;
  readonly cipher: string | null;
}

/** Everything that runs: a plain service behind its sidecar, and the sidecar of its caller. */
export interface Scene {
  readonly workspace: Workspace;
  readonly root: string;
  readonly services: readonly { readonly name: string; readonly uri: string; readonly serial: string }[];
  readonly directory: string;
  readonly options: DemoOptions;
  /** The sidecar of the service `api`, where mutual TLS is asked for. */
  readonly inbound: RunningProxy;
  /** Sends a request in clear text to the sidecar of `web`. */
  readonly passRequest: () => Promise<Passage>;
  readonly issue: (request: IssueRequest, ageMs?: number) => Promise<void>;
  /** What the sidecar of `api` decided since this was last asked. */
  readonly takeDecisions: () => AuditLine[];
  readonly stop: () => Promise<void>;
}

export async function startScene(options: DemoOptions): Promise<Scene> {
  const { directory, clock } = options;
  const { workspace, root } = initializeWorkspace({ directory: join(directory, '.mtls'), clock });
  const issued = await issueCertificates(workspace, [{ name: 'api' }, { name: 'web' }], clock);
  const services = issued.map(({ entry: { name, uri, serial } }) => ({ name, uri, serial: serialText(serial) }));
  const [api, web] = services.map(({ uri }) => uri) as [string, string];
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.reverse()) await each();
  };
  try {
    const decisions: AuditLine[] = [];
    const outgoing: AuditLine[] = [];
    const service = await startService();
    stops.push(service.stop);
    const proxy = async (name: string, ends: Pick<ProxyOptions, 'listen' | 'upstream' | 'allow' | 'expect'>, audit: AuditLine[]) => {
      const { certificate, key, ca } = servicePaths(workspace, name);
      const files = { certificate, key, ca, crl: crlPaths(workspace.paths) };
      const running = await startProxy({ ...ends, files, clock, log: nullLog, audit: (line) => audit.push(line), drainMs: 500 });
      stops.push(() => running.stop());
      return running;
    };
    const listen = (url: string) => parseEndpoint(url, '--listen');
    const upstream = (url: string) => parseEndpoint(url, '--upstream');
    const inbound = await proxy('api', { listen: listen('mtls://127.0.0.1:0'), upstream: upstream(service.url), allow: [web] }, decisions);
    const outbound = await proxy('web', { listen: listen('http://127.0.0.1:0'), upstream: upstream(inbound.url), expect: [api] }, outgoing);
    const passRequest = () => pass(outbound.url, { api, web }, decisions, outgoing);
    return {
      ...{ workspace, services, directory, options, inbound, passRequest, stop },
      root: labelOf(root.subject),
      // a certificate that was issued some time ago: the clock of its making is set back
      issue: async (request, ageMs = 0) => {
        await issueCertificates(workspace, [request], () => new Date(clock().getTime() - ageMs));
      },
      takeDecisions: () => decisions.splice(0),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The service itself: plain HTTP, and it answers with what it was told about its caller. */
async function startService(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const server = createServer((request, response) => response.end(String(request.headers['x-forwarded-client-cert'] ?? '')));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

async function pass(
  url: string,
  expected: { readonly api: string; readonly web: string },
  decisions: AuditLine[],
  outgoing: AuditLine[],
): Promise<Passage> {
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    get(`${url}/`, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text })).on('error', reject);
    }).on('error', reject);
  });
  const inbound = decisions.splice(0).find(({ decision }) => decision === 'allow');
  const caller = inbound?.peer.identity ?? null;
  const service = outgoing.splice(0).find(({ decision }) => decision === 'allow')?.peer.identity ?? null;
  const ok = status === 200 && caller === expected.web && service === expected.api && body.includes(`URI=${expected.web}`);
  return { ok, status, caller, service, forwarded: body, version: inbound?.tls?.version ?? null, cipher: inbound?.tls?.cipher ?? null };
}
