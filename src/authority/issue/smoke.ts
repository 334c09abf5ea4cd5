import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type TLSSocket, connect, createServer } from 'node:tls';
import { MtlsError, systemCode } from '../../errors.js';
import { isEncryptedKey, privateKeyToPem, readPrivateKey } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import { OID } from '../../pki/oids.js';
import type { ServicePaths } from '../workspace.js';

/** A handshake with new material, this process being at both ends. */
export interface Smoke {
  readonly version: string;
  readonly cipher: string;
}

const TIMEOUT_MS = 5_000;

/**
 * Shakes hands over loopback with the files of a service as they stand on the disk: as a server, as a client or as both, as
 * its certificate may be used, each end trusting ca.crt alone; `passphrase` opens the key where it is encrypted. Rejects with
 * SMOKE_FAILED, and with the errors of reading.
 */
export async function smoke({ certificate, key, ca }: ServicePaths, passphrase?: string): Promise<Smoke> {
  const leaf = readCertificates(certificate)[0]!;
  const may = (purpose: string): boolean => leaf.extendedKeyUsage?.includes(purpose) !== false;
  const own = { cert: readFileSync(certificate), key: openedKey(key, passphrase), ca: readFileSync(ca) };
  const isClient = may(OID.clientAuth);
  const server = createServer({ ...own, requestCert: isClient, rejectUnauthorized: isClient });
  const ends: TLSSocket[] = [];
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening', { signal });
    const { port } = server.address() as AddressInfo;
    const name = leaf.subjectAltName.dns.find((each) => !each.startsWith('*'));
    const asked = name === undefined ? { checkServerIdentity: () => undefined } : { servername: name };
    const as = isClient ? own : { ca: own.ca };
    const client = connect({ ...as, ...asked, host: '127.0.0.1', port, rejectUnauthorized: may(OID.serverAuth) });
    ends.push(client);
    // what the server thinks of the client is known when it has its Finished; the client's own opinion comes before that
    const refused = once(server, 'tlsClientError', { signal }).then(([error]) => Promise.reject(error as Error));
    refused.catch(() => {});
    const [[accepted]] = await Promise.all([
      Promise.race([once(server, 'secureConnection', { signal }), refused]),
      once(client, 'secureConnect', { signal }),
    ]);
    ends.push(accepted as TLSSocket);
    return { version: client.getProtocol()!, cipher: client.getCipher().name };
  } catch (error) {
    const problem = signal.aborted ? `no handshake within ${TIMEOUT_MS / 1000} s` : (systemCode(error) ?? 'the other end refused');
    throw new MtlsError('SMOKE_FAILED', { path: certificate, problem }, { cause: error });
  } finally {
    for (const end of ends) end.destroy();
    server.close();
  }
}

/** OpenSSL would derive from the passphrase once for each end. */
function openedKey(path: string, passphrase: string | undefined): Buffer | string {
  const bytes = readFileSync(path);
  return isEncryptedKey(bytes) ? privateKeyToPem(readPrivateKey(bytes, path, passphrase)) : bytes;
}
