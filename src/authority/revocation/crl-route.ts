import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { CRL_FILE_LIMIT, fileState, readError, readFileBounded } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import { crlsIn } from '../../pki/material.js';
import { cachingFields, isUnchanged } from './http-caching.js';
import { type Asked, type Reply, type Route, plain } from './route.js';

/** A CRL that is served: by which name, and from where. */
export interface ServedCrl {
  readonly name: string;
  readonly path: string;
}

/** Serves CRLs in DER (RFC 5280 §4.2.1.13), each as it stands in its file at that moment. `served` is asked each time: a CA may be added. */
export function crlRoute(served: () => readonly ServedCrl[]): Route {
  const files = new Map<string, CrlFile>();
  return async (asked) => {
    const found = served().find(({ name }) => asked.path === `/${name}`);
    if (found === undefined) return plain(404, 'no such CRL');
    if (asked.method !== 'GET' && asked.method !== 'HEAD') return plain(405, 'GET or HEAD', { Allow: 'GET, HEAD' });
    let file = files.get(found.path);
    if (file === undefined) files.set(found.path, (file = new CrlFile(found.path)));
    const about = { crl: found.name };
    try {
      return { ...replyOf(file.read(), asked), about };
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      return { ...plain(503, 'the CRL cannot be read now'), about: { ...about, code: error.code, reason: error.message } };
    }
  };
}

function replyOf({ der, etag, nextUpdate, changedAt }: Standing, { headers, now }: Asked): Omit<Reply, 'about'> {
  // to the second: as long as this one lasts, there may be another CRL of the same time
  const second = Math.floor(changedAt / 1000) * 1000;
  const modified = now.getTime() >= second + 1000 ? new Date(second) : undefined;
  const fields = cachingFields({ etag, modified, until: nextUpdate }, now);
  if (isUnchanged(headers, { etag, modified })) return { status: 304, fields, body: undefined };
  return { status: 200, fields: { ...fields, 'Content-Type': 'application/pkix-crl' }, body: der };
}

/** A CRL as it stands in a file. */
interface Standing {
  readonly der: Buffer;
  readonly etag: string;
  readonly nextUpdate: Date | undefined;
  /** When it came to stand there, in milliseconds since 1970. */
  readonly changedAt: number;
}

/** A file that is read again when it changes. */
class CrlFile {
  readonly #path: string;
  #state = '';
  #standing: Standing | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws what is wrong with the file. */
  read(): Standing {
    const state = fileState(this.#path);
    if (this.#standing !== undefined && state === this.#state) return this.#standing;
    const { der, nextUpdate } = crlsIn(readFileBounded(this.#path, CRL_FILE_LIMIT, 'a CRL'), this.#path)[0]!;
    const etag = `"${createHash('sha256').update(der).digest('hex').slice(0, 40)}"`;
    this.#state = state;
    this.#standing = { der, etag, nextUpdate: nextUpdate === undefined ? undefined : new Date(nextUpdate), changedAt: this.#changedAt() };
    return this.#standing;
  }

  /** Of the inode: a rename changes that, and the time of the content is that of a file with another name. */
  #changedAt(): number {
    try {
      return fs.statSync(this.#path).ctimeMs;
    } catch (error) {
      throw readError(this.#path, error);
    }
  }
}
