import type { IncomingHttpHeaders } from 'node:http';

/** What a cache is told of a body that anybody may be given until it ends. */
export interface Cacheable {
  /** In quotes. */
  readonly etag: string;
  readonly modified?: Date | undefined;
  readonly until: Date | undefined;
}

/** The fields that RFC 5019 §6.2 has for an OCSP response; they fit a CRL as well. */
export function cachingFields({ etag, modified, until }: Cacheable, now: Date): Readonly<Record<string, string>> {
  const seconds = until === undefined ? 0 : Math.max(0, Math.floor((until.getTime() - now.getTime()) / 1000));
  return {
    ETag: etag,
    'Cache-Control': `max-age=${seconds}, public, no-transform, must-revalidate`,
    ...(modified === undefined ? {} : { 'Last-Modified': modified.toUTCString() }),
    ...(until === undefined ? {} : { Expires: until.toUTCString() }),
  };
}

/** Has whoever asks the same already (RFC 9110 §13.2.2)? The tag decides where there is one, the time only where there is none. */
export function isUnchanged(headers: IncomingHttpHeaders, { etag, modified }: Pick<Cacheable, 'etag' | 'modified'>): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) return tags.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return modified !== undefined && Math.floor(modified.getTime() / 1000) * 1000 <= since;
}
