import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import { systemCode } from '../errors.js';
import type { Credentials } from './credentials.js';
import type { Gate } from './gate.js';

/** How a server of ours asks for certificates. OpenSSL takes any: the gate decides, with a reason that can be told. */
export const mutualOptions = ({ tls }: Credentials): TlsOptions => ({
  ...tls,
  requestCert: true,
  rejectUnauthorized: false,
  minVersion: 'TLSv1.2',
  handshakeTimeout: 10_000,
});

/** Keeps a server's certificate current, and writes down handshakes that failed. */
export function attend(server: Server, gate: Gate): void {
  gate.onReload(({ tls }) => server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' }));
  // who has said everything may still be answered; not before there is a handshake, where an end is the end
  server.prependListener('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
  });
  server.on('tlsClientError', (error, socket) => {
    gate.fail('HANDSHAKE_FAILED', handshakeReason(error), addressOf(socket));
  });
}

/** Where a client comes from. */
export const addressOf = ({ remoteAddress, remotePort }: Pick<TLSSocket, 'remoteAddress' | 'remotePort'>): string =>
  remoteAddress === undefined ? 'unknown' : `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;

const HANDSHAKE_REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_HTTP_REQUEST: 'it spoke HTTP without TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what it sent is not TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it offered no TLS version that is allowed here (1.2 and 1.3)',
  ERR_SSL_NO_SHARED_CIPHER: 'it offered no cipher suite that fits',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'it did not finish the handshake in 10 s',
  ECONNRESET: 'it left in the middle of the handshake',
};

function handshakeReason(error: Error): string {
  const code = systemCode(error) ?? 'unknown';
  return HANDSHAKE_REASONS[code] === undefined ? `the handshake failed (${code})` : `${HANDSHAKE_REASONS[code]} (${code})`;
}
