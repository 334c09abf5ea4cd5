import { isAbsolute, normalize, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where a file is, in a form that means the same on the machine that reads the report, where that can be. */
export interface Place {
  /** With forward slashes. */
  readonly path: string;
  /** As RFC 3986 has it. */
  readonly uri: string;
  /** From the directory of the run. */
  readonly isRelative: boolean;
}

/** The place of `file`: from `directory` when it is there or below, or was given so; else what was given. */
export function placeOf(file: string, directory: string): Place {
  const path = isAbsolute(file) ? relative(directory, file) || '.' : normalize(file);
  if (isAbsolute(file) && !isBelow(path)) return { path: slashed(file), uri: pathToFileURL(file).href, isRelative: false };
  // a colon in the first segment would read as a scheme (RFC 3986 §4.2): encodeURIComponent takes it along
  return { path: slashed(path), uri: slashed(path).split('/').map(encoded).join('/'), isRelative: true };
}

// on Windows the way to another drive is an absolute path
const isBelow = (way: string): boolean => way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);

const slashed = (path: string): string => path.split(sep).join('/');

/** Half of a surrogate pair has no UTF-8 and would throw: the encoder puts U+FFFD in its place. */
const encoded = (segment: string): string => encodeURIComponent(Buffer.from(segment).toString());
