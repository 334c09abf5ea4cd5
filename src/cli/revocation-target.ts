import { existsSync } from 'node:fs';
import type { RevokeTarget } from '../authority/index.js';
import { MtlsError } from '../errors.js';
import { readCertificates } from '../pki/material.js';

/** Whom a revocation is about: what was typed, a file being read for its first certificate. Throws USAGE and the errors of reading it. */
export function revocationTarget(target: string | undefined, allOf: string | undefined): RevokeTarget {
  if ((target === undefined) === (allOf === undefined))
    throw new MtlsError('USAGE', { problem: 'name one: a service, a serial number, a fingerprint or a file; or --all-of NAME' });
  if (target === undefined) return { what: allOf!, all: true };
  // a name of a service has neither
  const isFile = /[/.]/.test(target) && existsSync(target);
  return { what: isFile ? readCertificates(target)[0]!.serial : target };
}
