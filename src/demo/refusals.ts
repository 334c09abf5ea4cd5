import { join } from 'node:path';
import { initializeWorkspace, issueCertificates, readWorkspaceCrls, revokeCertificates, servicePaths } from '../authority/index.js';
import { readFileBounded } from '../base/files.js';
import { readPrivateKey } from '../pki/key.js';
import { readCertificates } from '../pki/material.js';
import { type Diagnosis, type ProbeOptions, probe } from '../probe/index.js';
import type { AuditLine } from '../proxy/index.js';
import type { Scene } from './scene.js';

const MINUTE = 60_000;

type Client = NonNullable<ProbeOptions['client']>;

/** One thing that must fail: how the caller comes by its certificate, and the decision that must come of it. */
interface Attempt {
  readonly title: string;
  readonly expected: AuditLine['code'];
  /** What a probe must find out from the caller's place, who is told nothing but an id. */
  readonly found: Diagnosis['code'];
  readonly client: (scene: Scene) => Promise<Client | undefined>;
}

/** How it went, told from both ends: what the sidecar decided, and what a probe at the caller's place found out by itself. */
export interface Refusal {
  readonly ok: boolean;
  readonly title: string;
  /** Whose sidecar refused; null when nobody did. */
  readonly refusedBy: 'server' | null;
  readonly stage: Diagnosis['stage'];
  /** The line of the audit: the code of the decision, and its reason. */
  readonly decision: { readonly code: AuditLine['code']; readonly reason: string; readonly id: string } | null;
  readonly diagnosis: Pick<Diagnosis, 'code' | 'side' | 'confidence' | 'summary'>;
}

/** They all call themselves web, as far as they can: what is refused is the certificate, not the name. */
export const DEMO_REFUSALS: readonly Attempt[] = [
  { title: 'no certificate', expected: 'NO_CERTIFICATE', found: 'CLIENT_CERT_REQUIRED', client: () => Promise.resolve(undefined) },
  {
    title: 'a certificate from another CA',
    expected: 'CERTIFICATE_UNTRUSTED',
    found: 'CLIENT_CERT_UNTRUSTED',
    client: async ({ directory, options: { clock } }) => {
      const { workspace } = initializeWorkspace({ directory: join(directory, 'other', '.mtls'), clock });
      await issueCertificates(workspace, [{ name: 'web' }], clock);
      return identityIn(servicePaths(workspace, 'web'));
    },
  },
  {
    title: 'an expired certificate',
    expected: 'CERTIFICATE_EXPIRED',
    found: 'CLIENT_CERT_EXPIRED',
    client: async (scene) => {
      // within the life of a root that was made a moment ago, and back-dated by five minutes
      await scene.issue({ name: 'web-expired', uri: webOf(scene), validity: MINUTE }, 3 * MINUTE);
      return identityIn(servicePaths(scene.workspace, 'web-expired'));
    },
  },
  {
    title: 'a revoked certificate',
    expected: 'CERTIFICATE_REVOKED',
    found: 'CLIENT_CERT_REVOKED',
    client: async (scene) => {
      await scene.issue({ name: 'web-revoked', uri: webOf(scene) });
      await revokeCertificates(scene.workspace, { what: 'web-revoked' }, 'keyCompromise', scene.options.clock);
      // it would see the new CRL by itself within moments; nobody should have to wait for that here
      scene.inbound.reload();
      return identityIn(servicePaths(scene.workspace, 'web-revoked'));
    },
  },
  {
    title: 'a service that policy does not allow',
    expected: 'NOT_ALLOWED',
    found: 'CLIENT_NOT_AUTHORIZED',
    client: async (scene) => {
      await scene.issue({ name: 'billing' });
      return identityIn(servicePaths(scene.workspace, 'billing'));
    },
  },
];

/** Makes the attempt in a real handshake, and compares what both ends say with what they must. */
export async function tryRefusal({ title, expected, found, client: clientOf }: Attempt, scene: Scene): Promise<Refusal> {
  const client = await clientOf(scene);
  scene.takeDecisions();
  const { host, port } = scene.inbound.address;
  const { clock, signal } = scene.options;
  const authorities = readCertificates(scene.workspace.paths.bundle);
  const crls = readWorkspaceCrls(scene.workspace.paths);
  const options = { host, port, authorities, crls, httpPath: '/', retries: false, timeoutMs: 5_000, clock, signal };
  const { diagnosis } = await probe(client === undefined ? options : { ...options, client });
  const refusal = scene.takeDecisions().find(({ decision }) => decision === 'deny');
  const { code, side, stage, confidence, summary } = diagnosis;
  return {
    ok: refusal?.code === expected && code === found,
    title,
    refusedBy: refusal === undefined ? null : 'server',
    stage,
    decision: refusal === undefined ? null : { code: refusal.code, reason: refusal.reason, id: refusal.id },
    diagnosis: { code, side, confidence, summary },
  };
}

const webOf = ({ services }: Scene): string => services.find(({ name }) => name === 'web')!.uri;

function identityIn({ certificate, key }: { readonly certificate: string; readonly key: string }): Client {
  return { chain: readCertificates(certificate), key: readPrivateKey(readFileBounded(key), key) };
}
