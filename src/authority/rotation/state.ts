import * as fs from 'node:fs';
import { join } from 'node:path';
import { readFileBounded, writeFileAtomic } from '../../base/files.js';
import { JsonObject } from '../../base/json.js';
import { MtlsError, isError } from '../../errors.js';

/**
 * Which generation of CAs signs, and which one is about to, or did before it: one of both at most. A generation is a root
 * with what stands below it; `init` makes the first.
 */
export interface Rotation {
  readonly current: number;
  /** Prepared: peers are told to trust it, and it signs no services yet. */
  readonly next?: number;
  /** Its certificates are still out. */
  readonly old?: number;
}

/** The files of one CA. Without a key it can sign no more: it was sealed or burnt, or is somebody else's. */
export interface CaPaths {
  readonly certificate: string;
  readonly key: string;
  readonly crl: string;
}

/** The files of one generation of CAs. */
export interface CaFiles {
  /** The CA that peers trust. It signs the services, unless there is an issuing CA below it. */
  readonly root: CaPaths;
  readonly issuing: CaPaths;
  /** CAs between the two, where a company's CA signed the issuing one. */
  readonly chain: string;
  /** The CRLs of these. */
  readonly chainCrls: string;
  /** The key of this root certified by the root before it (RFC 4210 §4.4.1, `NewWithOld`). */
  readonly cross: string;
}

const FIRST = 1;
const NONE: Rotation = { current: FIRST };

export const rotationFile = (authority: string): string => join(authority, 'rotation.json');

/** Where no root was ever rotated there is no such file. Throws WORKSPACE_INVALID. */
export function rotationOf(authority: string): Rotation {
  const path = rotationFile(authority);
  if (!fs.existsSync(path)) return NONE;
  try {
    const found = JsonObject.parse(readFileBounded(path, 4096, 'which CAs sign').toString('utf8'), 'rotation');
    const [current, next, old] = [found.count('current'), found.optionalCount('next'), found.optionalCount('old')];
    if (current === 0 || next === 0 || old === 0 || (next !== undefined && old !== undefined) || current === (next ?? old))
      throw new MtlsError('WORKSPACE_INVALID', { path, problems: [`no rotation stands at ${JSON.stringify({ current, next, old })}`] });
    return { current, ...(next === undefined ? {} : { next }), ...(old === undefined ? {} : { old }) };
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
    throw new MtlsError('WORKSPACE_INVALID', { path, problems: [error.message] }, { cause: error });
  }
}

/** What makes a step of a rotation count: one rename. */
export const writeRotation = (authority: string, rotation: Rotation): void =>
  writeFileAtomic(rotationFile(authority), `${JSON.stringify(rotation)}\n`);

/** The files of a generation. Those of the first have the plain names; a CRL keeps its name, which certificates give, as long as it is asked for. */
export function caFilesOf(authority: string, generation: number): CaFiles {
  const suffix = generation === FIRST ? '' : `-${generation}`;
  const file = (name: string, ending: string): string => join(authority, `${name}${suffix}${ending}`);
  const ca = (name: string): CaPaths => ({ certificate: file(name, '.crt'), key: file(name, '.key'), crl: file(name, '.crl') });
  return {
    root: ca('root'),
    issuing: ca('issuing'),
    chain: file('chain', '.pem'),
    chainCrls: file('chain', '.crl'),
    cross: file('cross', '.crt'),
  };
}

/** The generations whose root is here, retired ones as well. */
export const generationsIn = (authority: string): readonly number[] =>
  fs.readdirSync(authority).flatMap((name) => {
    const found = /^root(?:-(\d{1,9}))?\.crt$/.exec(name);
    return found === null ? [] : [Number(found[1] ?? FIRST)];
  });

/** The number that the next root gets: none that was ever used. */
export const nextGeneration = (authority: string): number => 1 + Math.max(...generationsIn(authority));
