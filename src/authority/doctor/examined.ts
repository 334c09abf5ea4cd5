import * as fs from 'node:fs';
import { join } from 'node:path';
import { CRL_FILE_LIMIT, readError, readFileBounded } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { readCertificates } from '../../pki/material.js';
import { type Ca, caKeysOf, isWaiting, otherFiles } from '../cas/cas.js';
import { type LedgerEntry, readEntry, readLedger } from '../ledger/ledger.js';
import { type ServicePaths, type WorkspacePaths, readSettings, servicePaths } from '../workspace.js';
import { type DoctorFinding, attempt } from './findings.js';

/** A workspace as far as it can be read: what cannot is a finding, and hides nothing else. */
export interface Examined {
  readonly paths: WorkspacePaths;
  readonly now: Date;
  readonly cas: readonly Ca[];
  readonly services: readonly ExaminedService[];
  readonly ledger: readonly LedgerEntry[];
  /** Why something is not above. */
  readonly findings: readonly DoctorFinding[];
}

export interface ExaminedService {
  readonly name: string;
  readonly paths: ServicePaths;
  /** Undefined when it cannot be read, which whoever judges the service's files says. */
  readonly certificate: Certificate | undefined;
}

export function examine(paths: WorkspacePaths, now: Date): Examined {
  const findings: DoctorFinding[] = [];
  attempt(paths.settings, findings, () => readSettings(paths.settings, paths.directory));
  const waits = isWaiting(paths);
  if (waits) {
    const error = new MtlsError('CA_NOT_SIGNED', { path: paths.request });
    findings.push({
      ...{ code: error.code, severity: 'notice', message: error.message, file: paths.request },
      remedy: error.hints[0] ?? null,
    });
  }
  const { root, issuing } = paths;
  const others = [otherFiles(paths) ?? []].flat().flatMap((other) => [other.root, other.issuing]);
  const below = [issuing, ...others].filter(({ certificate }) => fs.existsSync(certificate));
  const present = waits ? [] : [root, ...below];
  const cas = present.flatMap((each): Ca[] => {
    const certificates = attempt(each.certificate, findings, () => readCertificates(each.certificate));
    return certificates?.[0] === undefined ? [] : [{ paths: each, certificate: certificates[0] }];
  });
  return { paths, now, cas, services: servicesOf(paths, findings), ledger: ledgerOf(paths.ledger), findings };
}

function servicesOf(paths: WorkspacePaths, findings: DoctorFinding[]): ExaminedService[] {
  return namesIn(paths.services, findings).flatMap((name): ExaminedService[] => {
    const service = servicePaths({ paths }, name);
    if (!fs.existsSync(service.certificate)) return [];
    const certificates = attempt(service.certificate, [], () => readCertificates(service.certificate));
    return [{ name, paths: service, certificate: certificates?.[0] }];
  });
}

/** The names in a directory, in order. */
export function namesIn(directory: string, findings: DoctorFinding[]): readonly string[] {
  const read = (): string[] => {
    try {
      return fs.readdirSync(directory).sort();
    } catch (error) {
      throw readError(directory, error);
    }
  };
  return attempt(directory, findings, read) ?? [];
}

/** All entries that can be read: why others cannot is for `checkLedger` to say. */
function ledgerOf(path: string): readonly LedgerEntry[] {
  try {
    return readLedger(path);
  } catch (error) {
    if (!(error instanceof MtlsError)) throw error;
    const bytes = attempt(path, [], () => readFileBounded(path, CRL_FILE_LIMIT));
    const lines = bytes?.toString('utf8').split('\n').slice(0, -1) ?? [];
    return lines.flatMap((line) => attempt(path, [], () => readEntry(line, path)) ?? []);
  }
}

/** Where the keys are: of the CAs, and of the services of the workspace. */
export const keysOf = ({ paths, services }: Examined): readonly string[] =>
  [...caKeysOf(paths), ...services.map(({ paths: { key } }) => key)].filter((path) => fs.existsSync(path));

/** The directories that are for nobody else. */
export const directoriesOf = ({ paths, services }: Examined): readonly string[] =>
  [paths.directory, paths.authority, paths.services, ...services.map(({ name }) => join(paths.services, name))].filter((path) =>
    fs.existsSync(path),
  );
