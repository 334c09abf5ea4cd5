import type { Server } from 'node:net';
import { MtlsError, systemCode } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EACCES: 'not permitted (a port below 1024?)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the name does not resolve',
};

/** Waits until a server listens, and answers its port; `url` is for the error, LISTEN_FAILED. */
export function listening(server: Server, { host, port, url }: { readonly host: string; readonly port: number; readonly url: string }) {
  return new Promise<number>((resolve, reject) => {
    const failed = (error: Error): void => {
      const code = systemCode(error) ?? 'unknown';
      const taken = code === 'EADDRINUSE' ? { taken: port } : {};
      reject(new MtlsError('LISTEN_FAILED', { endpoint: url, reason: REASONS[code] ?? code, ...taken }, { cause: error }));
    };
    server.once('error', failed).listen({ host, port }, () => {
      server.off('error', failed);
      resolve((server.address() as { readonly port: number }).port);
    });
  });
}
