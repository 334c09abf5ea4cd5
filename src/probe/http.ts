import type { Duplex } from 'node:stream';
import { type Limits, withinTime } from './connect.js';

/** What a server answered to a GET: its status, or that what came is no HTTP, or that nothing came. */
export type HttpAnswer =
  | { readonly kind: 'http'; readonly status: number; readonly reason: string; readonly date: string | undefined; readonly body: string }
  | { readonly kind: 'other'; readonly said: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' };

/** Head and body that are kept: error pages that say why are short. */
const ANSWER_LIMIT = 16_384;

/** Sends a GET of HTTP/1.1 and reads the answer, as much of it as is kept. Never throws, except INTERRUPTED. */
export async function get(stream: Duplex, request: { readonly path: string; readonly host: string }, limits: Limits): Promise<HttpAnswer> {
  let bytes: Buffer = Buffer.alloc(0);
  let settle: (how: 'whole' | 'closed') => void = () => {};
  const answered = new Promise<'whole' | 'closed'>((resolve) => (settle = resolve));
  const onData = (chunk: Buffer): void => {
    if (bytes.length < ANSWER_LIMIT) bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= ANSWER_LIMIT || isWhole(bytes.toString('latin1'))) settle('whole');
  };
  const onEnd = (): void => settle('closed');
  stream.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onEnd);
  if (stream.destroyed || stream.readableEnded) return { kind: 'closed' };
  stream.write(
    `GET ${request.path} HTTP/1.1\r\nHost: ${request.host}\r\nUser-Agent: mtls-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
  );
  try {
    const how = await withinTime(answered, limits.timeoutMs, limits.signal);
    return readAnswer(bytes.toString('latin1'), how);
  } finally {
    stream.off('data', onData).off('end', onEnd).off('close', onEnd);
  }
}

function readAnswer(text: string, how: 'whole' | 'closed' | undefined): HttpAnswer {
  if (text === '') return { kind: how === undefined ? 'silent' : 'closed' };
  const match = STATUS_LINE.exec(text);
  if (match === null) return { kind: 'other', said: text.slice(0, 200) };
  const headEnd = text.indexOf('\r\n\r\n');
  const head = headEnd < 0 ? text : text.slice(0, headEnd);
  return {
    kind: 'http',
    status: Number(match[1]),
    reason: match[2]!.trim(),
    date: /^date:[ \t]*(.{1,60})$/im.exec(head)?.[1]?.trim(),
    body: headEnd < 0 ? '' : text.slice(headEnd + 4),
  };
}

/** RFC 9112 §4. */
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})([^\r\n]*)/;

/** Does the text begin as an HTTP answer does? */
export const looksLikeHttp = (text: string): boolean => STATUS_LINE.test(text);

/** Is the body there that Content-Length announces? Without one the answer ends with the connection. */
function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /^content-length:[ \t]*(\d{1,9})[ \t]*$/im.exec(text.slice(0, headEnd))?.[1];
  return length !== undefined && text.length - headEnd - 4 >= Number(length);
}
