import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a client may go on sending what nobody wants, before it is cut off. */
const PATIENCE_MS = 2_000;
const REASON_PHRASES = { 400: 'Bad Request', 403: 'Forbidden', 502: 'Bad Gateway' } as const;

/** Answers a request that is not passed on: a generic code and the id, nothing else (the reason is in the audit). */
export function refuse(to: ServerResponse | Duplex, status: keyof typeof REASON_PHRASES, code: string, id: string): void {
  const body = `${JSON.stringify({ error: { code, id } })}\n`;
  const fields = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' };
  if (!('writeHead' in to)) {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    to.on('error', () => {}).end(`HTTP/1.1 ${status} ${REASON_PHRASES[status]}\r\n${lines.join('')}\r\n${body}`);
    return;
  }
  if (to.headersSent) {
    to.destroy();
    return;
  }
  to.writeHead(status, REASON_PHRASES[status], fields).write(body);
  // closing on a client that is still sending resets the connection, and the answer is lost with it (RFC 9112 §9.6)
  const timer = setTimeout(() => to.end(), PATIENCE_MS);
  const end = (): void => {
    clearTimeout(timer);
    to.end();
  };
  if (to.req.complete) end();
  else to.req.resume().once('end', end).once('close', end);
}
