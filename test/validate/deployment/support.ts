import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OID } from '../../../src/pki/oids.js';
import { toPem } from '../../../src/pki/pem.js';
import type { Signer } from '../../../src/pki/sign.js';
import { type Deployment, readDeployment } from '../../../src/validate/deployment/deployment.js';
import { AT, type CrlRecipe, DAY, type Recipe, authority, certify, crlOf, shifted } from '../../support/chains.js';
import { certificatePem, keyPem, temporaryDirectory } from '../../support/material.js';

const BOTH = [OID.serverAuth, OID.clientAuth];

/** A CA of a year. */
export const ca = (name: string, recipe: Recipe = {}): Signer => authority({ name, notAfter: shifted(365 * DAY), ...recipe });

/** A service of shop.test that `by` certified for a hundred days, as client and server. */
export const leaf = (name: string, by: Signer, recipe: Recipe = {}): Signer =>
  certify({
    ...{ name, by, purposes: BOTH, notAfter: shifted(100 * DAY) },
    names: { dns: [name], uri: [`spiffe://shop.test/ns/default/sa/${name}`] },
    ...recipe,
  });

export const pem = (...signers: readonly Signer[]): string => certificatePem(...signers.map(({ certificate }) => certificate));
export const key = ({ key: own }: Signer): string => keyPem(own);
/** A CRL of ten days. */
export const crl = (by: Signer, revoked: readonly Signer[] = [], recipe: Partial<CrlRecipe> = {}): string => {
  const entries = revoked.map(({ certificate }) => ({ certificate }));
  return toPem('X509 CRL', crlOf({ by, revoked: entries, nextUpdate: shifted(10 * DAY), ...recipe }).der);
};

/** What cert-manager puts into a secret. */
export const secret = (own: Signer, ...trusted: readonly Signer[]): Record<string, string> => ({
  'tls.crt': pem(own),
  'tls.key': key(own),
  'ca.crt': pem(...trusted),
});

/** Files by their path from the root of a tree; keys get mode 0600. */
export interface Deployed {
  readonly path: string;
  write: (directory: string, files: Readonly<Record<string, string | Uint8Array>>) => void;
  /** Judged at AT, or so many milliseconds later. */
  judge: (later?: number) => Deployment;
  remove: () => void;
}

export function tree(): Deployed {
  const { path, remove } = temporaryDirectory();
  return {
    path,
    write: (directory, files) => {
      for (const [name, data] of Object.entries(files)) {
        const file = join(path, directory, name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, data, { mode: name.includes('key') ? 0o600 : 0o644 });
      }
    },
    judge: (later = 0) => readDeployment(path, new Date(AT.getTime() + later)),
    remove,
  };
}

export const names = ({ services }: Deployment): string[] => services.map(({ service }) => service.name);

export function find({ services }: Deployment, name: string) {
  const found = services.find(({ service }) => service.name === name);
  assert.ok(found, `no service ${name}`);
  return found;
}

/** `CODE severity file` of all that was found with the only service, files by their last two parts. */
export function findings(deployment: Deployment, name?: string): string[] {
  const { findings: found } = name === undefined ? deployment.services[0]! : find(deployment, name);
  return found.map(({ code, severity, file }) => `${code} ${severity} ${file.split('/').slice(-2).join('/')}`);
}
