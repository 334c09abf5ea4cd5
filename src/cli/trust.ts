import { CRL_FILE_LIMIT, readFileBounded } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { crlsIn, readCertificates } from '../pki/material.js';

/** Whom to trust, and from which files that comes. */
export interface Trust {
  readonly roots: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly from: readonly string[];
}

/** The CAs of the files that were named; else the CA and CRL of the workspace. Throws USAGE when there is neither. */
export async function trustOf(files: readonly string[] | undefined, workspace: string | undefined): Promise<Trust> {
  if (files !== undefined) return { roots: files.flatMap(readCertificates), crls: [], from: files };
  const { openWorkspace, crlPaths, readWorkspaceCrls } = await import('../authority/index.js');
  try {
    const { paths } = openWorkspace(workspace, process.cwd());
    const from = [paths.bundle, ...crlPaths(paths)];
    return { roots: readCertificates(paths.bundle), crls: readWorkspaceCrls(paths), from };
  } catch (error) {
    if (workspace !== undefined || !isError(error, 'WORKSPACE_NOT_FOUND')) throw error;
    throw new MtlsError('USAGE', {
      problem: 'nobody to trust: no --ca was given, and there is no workspace here',
      hint: 'name the CA with --ca, or make one: mtls init',
    });
  }
}

/** All CRLs in files. */
export const crlsFrom = (files: readonly string[]): Crl[] =>
  files.flatMap((file) => crlsIn(readFileBounded(file, CRL_FILE_LIMIT, 'a CRL (PEM or DER)'), file));
