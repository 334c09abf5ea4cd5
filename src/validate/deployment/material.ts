import { type KeyObject, createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { CRL_FILE_LIMIT, FILE_LIMIT, readError, readFileBounded } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { readPrivateKey } from '../../pki/key.js';
import { certificatesIn, crlsIn } from '../../pki/material.js';

/** What all files of a tree may weigh together; one that many services share counts once. */
const BYTES = 4 * 1024 * 1024 * 1024;

/**
 * Reads the files of a tree. What has the same bytes is one value, however many files hold it: a thousand copies of a
 * bundle are kept once, a signature by its CA is checked once, and whether two services trust alike is seen by identity.
 */
export class Material {
  readonly #certificates = new Kept(certificatesIn);
  readonly #crls = new Kept(crlsIn);
  #left: number;

  constructor(bytes = BYTES) {
    this.#left = bytes;
  }

  certificates(path: string): readonly Certificate[] {
    return this.#certificates.at(path, () => this.#read(path, FILE_LIMIT));
  }

  crls(path: string): readonly Crl[] {
    return this.#crls.at(path, () => this.#read(path, CRL_FILE_LIMIT));
  }

  key(path: string): KeyObject {
    return readPrivateKey(this.#read(path, FILE_LIMIT), path);
  }

  #read(path: string, limit: number): Buffer {
    // whoever opens a pipe waits for somebody to write into it
    if (!isFile(path)) throw new MtlsError('FILE_NOT_READABLE', { path, reason: 'it is no file' });
    const bytes = readFileBounded(path, Math.min(limit, this.#left));
    this.#left -= bytes.length;
    return bytes;
  }
}

function isFile(path: string): boolean {
  try {
    return fs.statSync(path).isFile();
  } catch (error) {
    throw readError(path, error);
  }
}

/** What was read before: by the path, by the bytes of the file, and value by value. */
class Kept<Value extends { readonly der: Buffer }> {
  readonly #byPath = new Map<string, readonly Value[]>();
  readonly #byBytes = new Map<string, readonly Value[]>();
  readonly #values = new Map<string, Value>();
  readonly #parse: (bytes: Buffer, path: string) => readonly Value[];

  constructor(parse: (bytes: Buffer, path: string) => readonly Value[]) {
    this.#parse = parse;
  }

  at(path: string, read: () => Buffer): readonly Value[] {
    return valueAt(this.#byPath, path, () => {
      const bytes = read();
      return valueAt(this.#byBytes, digest(bytes), () =>
        this.#parse(bytes, path).map((value) => valueAt(this.#values, digest(value.der), () => value)),
      );
    });
  }
}

function valueAt<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');
