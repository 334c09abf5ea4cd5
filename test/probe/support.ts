import { spawn } from 'node:child_process';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TlsOptions, createServer as createTlsServer } from 'node:tls';
import type { Certificate } from '../../src/pki/certificate.js';
import { type ProbeOptions, type ProbeReport, probe } from '../../src/probe/index.js';
import { certificatePem, keyPem, testCa, testLeaf } from '../support/material.js';

/** Something that listens, with its port and its end. */
export interface Running {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

export type Leaf = ReturnType<typeof testLeaf>;

/** A PKI for one test: a root, a server and a client of it. */
export function testPki(): { readonly ca: ReturnType<typeof testCa>; readonly server: Leaf; readonly client: Leaf } {
  const ca = testCa();
  return { ca, server: testLeaf(ca, { name: 'api' }), client: testLeaf(ca, { name: 'web' }) };
}

export const identity = (leaf: Leaf, ...above: readonly Certificate[]) => ({ chain: [leaf.certificate, ...above], key: leaf.key });

/** Probes 127.0.0.1 as `localhost` would be, with retries, unless told otherwise. */
export function probePort(port: number, options: Partial<ProbeOptions> = {}): Promise<ProbeReport> {
  return probe({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    retries: true,
    clock: () => new Date(),
    timeoutMs: 3_000,
    labels: { certificate: 'web.crt', key: 'web.key', authorities: 'ca.crt' },
    ...options,
  });
}

/** Listens on a port of the system's choice; every connection is destroyed at the end. */
export async function listen(server: Server): Promise<Running> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A server that treats every connection like this. */
export const serve = (onConnection: (socket: Socket) => void): Promise<Running> =>
  listen(createServer({ allowHalfOpen: true }, onConnection));

interface MtlsServerOptions extends TlsOptions {
  readonly leaf: Leaf;
  readonly chain?: readonly Certificate[];
  readonly clientCa?: Certificate;
}

/** A TLS server of Node's; it asks for a client certificate when `clientCa` is given, and answers every request with 200. */
export function serveTls(
  { leaf, chain = [], clientCa, ...options }: MtlsServerOptions,
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
): Promise<Running> {
  const server = createTlsServer(
    {
      cert: certificatePem(leaf.certificate, ...chain),
      key: keyPem(leaf.key),
      ...(clientCa === undefined ? {} : { ca: certificatePem(clientCa), requestCert: true, rejectUnauthorized: true }),
      ...options,
    },
    (socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(answer));
    },
  );
  server.on('tlsClientError', () => {});
  return listen(server);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { port, stop } = await serve(() => {});
  await stop();
  return port;
}

/** Starts a server program and waits until its port takes connections. */
export async function startProgram(command: string, args: readonly string[], port: number): Promise<Running> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let exited = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (output = (output + bytes.toString()).slice(-4_000)));
  const gone = new Promise<void>((resolve) =>
    child.once('exit', () => {
      exited = true;
      resolve();
    }),
  );
  for (let i = 0; i < 100; i++) {
    if (exited) throw new Error(`${command} ended: ${output}`);
    if (await takesConnections(port)) {
      return {
        port,
        stop: async () => {
          child.kill('SIGKILL');
          await gone;
        },
      };
    }
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`${command} does not listen on ${port}: ${output}`);
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
