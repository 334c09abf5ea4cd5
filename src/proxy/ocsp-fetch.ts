import { request } from 'node:http';
import { reasonOf } from './upstream.js';

const TIMEOUT_MS = 10_000;
/** A response has one or two kilobytes, and a few more with certificates of RSA. */
export const RESPONSE_LIMIT = 65_536;

/** What came of it: the responder's answer, unread, or why there is none. */
export type Fetched = { readonly der: Buffer } | { readonly problem: string };

/** Asks an OCSP responder by POST (RFC 6960 §A.1); within ten seconds, and no more is read than a response can have. */
export function fetchOcsp(url: string, asked: Buffer, signal: AbortSignal): Promise<Fetched> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise((resolve) => {
    const failed = (error: unknown): void =>
      resolve({ problem: timeout.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : reasonOf(error) });
    const headers = { 'Content-Type': 'application/ocsp-request', 'Content-Length': asked.length, Accept: 'application/ocsp-response' };
    const sent = request(url, { method: 'POST', agent: false, headers, signal: AbortSignal.any([signal, timeout]) }, (response) => {
      const refuse = (problem: string): void => {
        resolve({ problem });
        response.destroy();
      };
      if (response.statusCode !== 200) return refuse(`it answered HTTP ${response.statusCode}`);
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > RESPONSE_LIMIT) refuse(`it answered with more than ${RESPONSE_LIMIT} octets`);
        else chunks.push(chunk);
      });
      response.once('error', failed).once('end', () => resolve({ der: Buffer.concat(chunks) }));
    });
    sent.on('error', failed).end(asked);
  });
}
