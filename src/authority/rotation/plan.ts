import * as fs from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Certificate } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { readCertificates } from '../../pki/material.js';
import { type Signer, signCertificate } from '../../pki/sign.js';
import { isCrlOf } from '../../validate/crl-faults.js';
import { Acceptance } from '../../validate/deployment/acceptance.js';
import { readDeployment, servicesIn } from '../../validate/deployment/index.js';
import { type Pair, pairsOf } from '../../validate/deployment/pairs.js';
import type { Policy } from '../../validate/deployment/policy.js';
import type { Service } from '../../validate/deployment/service.js';
import { casIn, casOf, hasKey, openCa } from '../cas/cas.js';
import { FIRST_CRL_NUMBER, signWorkspaceCrl } from '../revocation/crl.js';
import { type Workspace, type WorkspacePaths, serviceNames } from '../workspace.js';
import { makeNextCas } from './next-cas.js';
import { type Blocker, type Wanted, distrustOf, toActivate } from './blockers.js';
import { assertOurs } from './prepare.js';
import { type Step, standingOf } from './rotate.js';
import { caFilesOf, nextGeneration, rotationOf } from './state.js';

/** A connection that works now, and the step after which it does not, when nothing but the steps is done. */
interface BrokenEdge extends Pair {
  readonly step: Step;
}

export interface RotationPlan {
  /** The steps that are still to be taken. */
  readonly steps: readonly Step[];
  readonly services: readonly Service[];
  /** How many connections work now. */
  readonly edges: number;
  readonly broken: readonly BrokenEdge[];
  /** What `activate` waits for, once `prepare` was taken. */
  readonly blockers: readonly Blocker[];
  /** Lines of the policy that are about nobody here. */
  readonly unmatched: Policy['findings'];
  readonly isCrossSigned: boolean;
}

export interface PlanOptions {
  /** Trees of deployed services; those of the workspace when there is none. */
  readonly deployed: readonly string[];
  /** Who is meant to talk to whom; everybody to everybody, else. */
  readonly policyOf?: (services: readonly Service[]) => Policy;
}

/**
 * Simulates what is left of a rotation, and changes nothing: after each step, every service of the workspace has what that step
 * brings it, every other one its files as they stand; and each has been renewed once the new root signs. What is signed for that
 * is real, by a root that is thrown away where none is prepared yet. Throws what is wrong with a directory or a key.
 */
export async function planRotation(workspace: Workspace, { deployed, policyOf }: PlanOptions, now: Date): Promise<RotationPlan> {
  const { paths } = workspace;
  const trees = deployed.length > 0 ? deployed : serviceNames(workspace).length > 0 ? [paths.services] : [];
  const services = trees.flatMap((directory) => servicesIn(readDeployment(directory, now)));
  const policy = policyOf?.(services);
  const turn = await turnOf(workspace, now);
  const steps = (['prepare', 'activate', 'retire'] as const).slice({ steady: 0, prepared: 1, activated: 2 }[standingOf(workspace).state]);
  const pairsAfter = (all: readonly Service[]): Pair[] => [...pairsOf(all, new Acceptance(all, now), policyFor(all, services, policy))];
  const working = pairsAfter(services).map(({ refusal }) => refusal === undefined);
  const edges = working.filter(Boolean).length;
  const broken: BrokenEdge[] = [];
  for (const step of steps) {
    for (const [i, pair] of pairsAfter(services.map((service) => afterStep(step, service, turn, paths))).entries()) {
      if (working[i] !== true || pair.refusal === undefined) continue;
      working[i] = false;
      broken.push({ ...pair, step });
    }
  }
  const blockers = steps.includes('activate') ? blockersOf(workspace, services, { turn, deployed, now }) : [];
  return { steps, services, edges, broken, blockers, unmatched: policy?.findings ?? [], isCrossSigned: turn.cross !== undefined };
}

interface Waiting {
  readonly turn: Turn;
  readonly deployed: readonly string[];
  readonly now: Date;
}

/** What `activate` waits for: as it would say now, or, before `prepare`, as it will say to services that nobody has told by then. */
function blockersOf(workspace: Workspace, services: readonly Service[], { turn, deployed, now }: Waiting): readonly Blocker[] {
  const { authority, bundle } = workspace.paths;
  const { next } = rotationOf(authority);
  if (next !== undefined) return toActivate(workspace, casIn(caFilesOf(authority, next)), { deployed, live: [] }, now);
  const files = caFilesOf(authority, nextGeneration(authority));
  const places = [files.root.crl, files.issuing.crl];
  const wanted: Wanted = { bundle, cas: turn.after.map(({ certificate }, i) => ({ certificate, crl: places[i]! })) };
  return services.flatMap((service) => distrustOf(afterStep('prepare', service, turn, workspace.paths), wanted, now));
}

/** The policy of the services as they were, for them as they are after a step. */
function policyFor(all: readonly Service[], before: readonly Service[], policy: Policy | undefined): Policy | undefined {
  if (policy === undefined) return undefined;
  const was = new Map(all.map((service, i) => [service, before[i]!]));
  return { ...policy, allows: (client, server) => policy.allows(was.get(client)!, was.get(server)!) };
}

/** The CAs before, and those that take their place. */
interface Turn {
  readonly before: readonly Certificate[];
  /** That which signs services comes last. */
  readonly after: readonly [Signer, ...Signer[]];
  readonly cross: Certificate | undefined;
  /** Of those after. */
  readonly crls: readonly Crl[];
}

async function turnOf(workspace: Workspace, now: Date): Promise<Turn> {
  const { paths, settings, passphrase } = workspace;
  const { current, next, old } = rotationOf(paths.authority);
  const signing = casOf(paths);
  const turn = (before: typeof signing, after: Turn['after'], cross: Certificate | undefined): Turn => ({
    before: before.map(({ certificate }) => certificate),
    ...{ after, cross },
    crls: after
      .filter(({ certificate: { notAfter } }) => now.getTime() <= notAfter)
      .map((ca) => signWorkspaceCrl(ca, { number: FIRST_CRL_NUMBER, now, revoked: [] })),
  });
  const prepared = next ?? (old === undefined ? undefined : current);
  if (prepared === undefined) {
    const [root, issuing] = signing;
    assertOurs(workspace, root, false);
    const by = hasKey(root) ? await openCa(root, passphrase) : undefined;
    const made = makeNextCas({ root: root.certificate, issuing: issuing?.certificate }, by, settings, now);
    return turn(signing, [made.root, ...(made.issuing === undefined ? [] : [made.issuing])], made.cross);
  }
  const files = caFilesOf(paths.authority, prepared);
  const [root, ...below] = casIn(files);
  const after: [Signer, ...Signer[]] = [await openCa(root, passphrase)];
  for (const ca of below) after.push(await openCa(ca, passphrase));
  const [cross] = fs.existsSync(files.cross) ? readCertificates(files.cross) : [];
  return turn(next === undefined ? casIn(caFilesOf(paths.authority, old!)) : signing, after, cross);
}

/** A service as it is once a step was taken. */
function afterStep(step: Step, service: Service, turn: Turn, paths: WorkspacePaths): Service {
  const trust = isHere(service, paths) ? trustAfter(step, service, turn) : {};
  return step === 'prepare' ? { ...service, ...trust } : { ...service, ...trust, chain: renewed(service.chain, step, turn) };
}

const isHere = ({ directory }: Service, { services }: WorkspacePaths): boolean => !relative(services, resolve(directory)).startsWith('..');

function trustAfter(step: Step, { bundle, crls }: Service, { before, after, crls: next }: Turn): Pick<Service, 'bundle' | 'crls'> {
  const root = after[0].certificate;
  const isKnown = bundle.some(({ der }) => der.equals(root.der));
  const both = { bundle: isKnown ? bundle : [...bundle, root], crls: crls.length === 0 ? crls : [...crls, ...next] };
  if (step !== 'retire') return both;
  return {
    bundle: both.bundle.filter(({ der }) => !before.some((each) => each.der.equals(der))),
    crls: both.crls.filter((crl) => !before.some((each) => isCrlOf(crl, each))),
  };
}

/** The same certificate by the new CA; what the old root signed for that is sent until the old one is retired. */
function renewed([leaf]: Service['chain'], step: Step, { after, cross }: Turn): Service['chain'] {
  if (leaf === undefined) return [];
  const { subject, publicKey, keyUsage = [], extendedKeyUsage = [], subjectAltName: names } = leaf;
  const dates = { notBefore: new Date(leaf.notBefore), notAfter: new Date(leaf.notAfter) };
  const own = signCertificate({ subject, publicKey, ...dates, keyUsage, extendedKeyUsage, names }, after.at(-1)!);
  const above = after.slice(1).map(({ certificate }) => certificate);
  return [own, ...above, ...(cross === undefined || step === 'retire' ? [] : [cross])];
}
