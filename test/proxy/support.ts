import { once } from 'node:events';
import { type IncomingHttpHeaders, type RequestOptions, createServer, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { type AuditLine, type ProxyOptions, type RunningProxy, parseEndpoint, startProxy } from '../../src/proxy/index.js';
import type { LogFields } from '../../src/base/log.js';
import { certificatePem, keyPem, temporaryDirectory, testCa, testCrl, testLeaf } from '../support/material.js';

export type Leaf = ReturnType<typeof testLeaf>;

export const spiffe = (name: string): string => `spiffe://shop.test/ns/default/sa/${name}`;

/** A PKI on disk, as the sidecar of `name` sees it: tls.crt, tls.key, ca.crt, ca.crl. */
export function layFiles(ca = testCa(), name = 'api', leaf: Leaf = testLeaf(ca, { name })) {
  const directory = temporaryDirectory();
  const files = {
    certificate: directory.file('tls.crt', certificatePem(leaf.certificate)),
    key: directory.file('tls.key', keyPem(leaf.key)),
    ca: directory.file('ca.crt', certificatePem(ca.certificate)),
    crl: directory.file('ca.crl', testCrl(ca)),
  };
  return { ca, leaf, files, directory };
}

export interface Sidecar extends RunningProxy {
  readonly audit: AuditLine[];
  readonly logged: { readonly event: string; readonly fields: LogFields }[];
}

type Asked = Omit<ProxyOptions, 'listen' | 'upstream' | 'clock' | 'log' | 'audit'> & {
  listen: string;
  upstream: string;
  clock?: ProxyOptions['clock'];
};

/** A sidecar whose audit and log can be read. */
export async function sidecar({ listen, upstream, ...options }: Asked): Promise<Sidecar> {
  const audit: AuditLine[] = [];
  const logged: Sidecar['logged'] = [];
  const log = (event: string, fields: LogFields = {}): void => void logged.push({ event, fields });
  const running = await startProxy({
    clock: () => new Date(),
    drainMs: 2_000,
    ...options,
    listen: parseEndpoint(listen, '--listen'),
    upstream: parseEndpoint(upstream, '--upstream'),
    log: { info: log, warn: log },
    audit: (line) => audit.push(line),
  });
  return { ...running, audit, logged };
}

/** What a client needs to shake hands as `leaf`. */
export const asClient = (leaf: Leaf | undefined, ca: ReturnType<typeof testCa>): ConnectionOptions => ({
  ca: certificatePem(ca.certificate),
  servername: 'localhost',
  ...(leaf === undefined ? {} : { cert: certificatePem(leaf.certificate), key: keyPem(leaf.key) }),
});

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** One request by one connection, and the whole answer. */
export function ask(
  url: string,
  options: RequestOptions & ConnectionOptions & { body?: string; trailers?: Record<string, string> } = {},
): Promise<Answer> {
  const { body, trailers, ...rest } = options;
  const secure = url.startsWith('mtls:') || url.startsWith('https:');
  const target = url.replace(/^mtls:/, 'https:');
  return new Promise((resolve, reject) => {
    const sent = (secure ? httpsRequest : httpRequest)(target, { agent: false, ...rest } as RequestOptions, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        const { statusCode = 0, headers, rawHeaders } = response;
        resolve({ status: statusCode, headers, rawHeaders, trailers: response.trailers, body: text });
      });
    });
    sent.on('error', reject);
    if (trailers !== undefined) sent.addTrailers(trailers);
    sent.end(body);
  });
}

/** A plain HTTP service. */
export async function service(answer: Parameters<typeof createServer>[1]) {
  const server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with what it got, in JSON. */
export const echo = (): ReturnType<typeof service> =>
  service((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { method, url, headers, rawHeaders, trailers } = request;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ method, url, headers, rawHeaders, trailers, body }));
    });
  });

/** Waits until it is so; a test that waits too long fails by itself. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}

/** Runs what was opened backwards. */
export class Closing {
  readonly #steps: (() => unknown)[] = [];

  /** Remembers how to end `what`, and gives it back. */
  add<T extends { readonly stop: () => Promise<unknown> }>(what: T): T {
    this.#steps.push(() => what.stop());
    return what;
  }

  later(step: () => unknown): void {
    this.#steps.push(step);
  }

  async all(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}
