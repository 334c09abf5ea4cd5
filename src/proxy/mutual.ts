import { constants } from 'node:crypto';
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import { systemCode } from '../errors.js';
import { type Connections, addressOf } from '../base/connections.js';
import type { Credentials } from './credentials.js';
import type { Gate } from './gate.js';

/** Nobody changes the certificate that was judged, by a second handshake in the same connection of TLS 1.2. */
const contextOptions = ({ tls }: Credentials): SecureContextOptions => ({
  ...tls,
  minVersion: 'TLSv1.2',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
});

/** How a server of ours asks for certificates. OpenSSL takes any: the gate decides, with a reason that can be told. */
export const mutualOptions = (credentials: Credentials): TlsOptions => ({
  ...contextOptions(credentials),
  requestCert: true,
  rejectUnauthorized: false,
  handshakeTimeout: 10_000,
});

/** Keeps a server's certificate current, and writes down handshakes that failed. */
export function attend(server: Server, gate: Gate, connections: Connections): void {
  gate.onReload((credentials) => server.setSecureContext(contextOptions(credentials)));
  // who has said everything may still be answered; not before there is a handshake, where an end is the end
  server.prependListener('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
    connections.opened(socket);
  });
  // before Node's own listener for HTTP, which destroys it: nobody knows then who it was
  server.prependListener('tlsClientError', (error, socket) => {
    gate.fail('HANDSHAKE_FAILED', handshakeReason(error), addressOf(socket));
    socket.destroy();
  });
}

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
