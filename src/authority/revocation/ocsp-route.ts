import { createHash } from 'node:crypto';
import { serialText } from '../../pki/fields.js';
import { OCSP_REQUEST_LIMIT } from '../../pki/ocsp-request.js';
import { cachingFields, isUnchanged } from './http-caching.js';
import type { OcspAnswer, OcspResponder } from './ocsp-responder.js';
import { type Asked, type Reply, type Route, plain } from './route.js';

const REQUEST_TYPE = 'application/ocsp-request';
const RESPONSE_TYPE = 'application/ocsp-response';

/** OCSP over HTTP (RFC 6960 §A.1): by POST to `/`, or by GET with the request in base64 as the path. */
export function ocspRoute(responder: OcspResponder): Route {
  return async (asked) => {
    const request = asked.method === 'POST' ? await posted(asked) : inPath(asked);
    if ('status' in request) return request;
    const answer = await responder.answer(request, asked.now);
    return { ...replyOf(answer, asked), about: aboutOf(answer) };
  };
}

async function posted({ path, headers, body }: Asked): Promise<Buffer | Reply> {
  if (path !== '/') return plain(404, 'OCSP requests are posted to /');
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== REQUEST_TYPE) return plain(415, REQUEST_TYPE);
  return (await body(OCSP_REQUEST_LIMIT)) ?? plain(413, `at most ${OCSP_REQUEST_LIMIT} octets`);
}

function inPath({ method, path }: Asked): Buffer | Reply {
  if (path === '/') return plain(405, 'POST, or GET with the request as the path', { Allow: 'POST' });
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET, or POST to /', { Allow: 'GET, HEAD' });
  const text = decoded(path.slice(1));
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return plain(404, 'no OCSP request in base64');
  const request = Buffer.from(text, 'base64');
  return request.length > OCSP_REQUEST_LIMIT ? plain(414, `at most ${OCSP_REQUEST_LIMIT} octets`) : request;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function replyOf({ der, keepable }: OcspAnswer, { method, headers, now }: Asked): Omit<Reply, 'about'> {
  const type = { 'Content-Type': RESPONSE_TYPE };
  if (keepable === undefined) return { status: 200, fields: { ...type, 'Cache-Control': 'no-store' }, body: der };
  const etag = `"${createHash('sha256').update(der).digest('hex').slice(0, 40)}"`;
  const fields = cachingFields({ etag, modified: keepable.producedAt, until: keepable.nextUpdate }, now);
  // by the tag alone: two answers of one second may differ
  if (method !== 'POST' && isUnchanged(headers, { etag })) return { status: 304, fields, body: undefined };
  return { status: 200, fields: { ...type, ...fields }, body: der };
}

const aboutOf = ({ outcome, certificates, hasNonce, problem }: OcspAnswer): Reply['about'] => ({
  outcome,
  ...(certificates.length === 0
    ? {}
    : { certificates: certificates.map(({ serial, status }) => `${serialText(serial)} ${status}`).join(', ') }),
  ...(outcome === 'successful' ? { nonce: hasNonce } : {}),
  ...(problem === undefined ? {} : { code: problem.code, reason: problem.message }),
});
