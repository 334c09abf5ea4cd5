import { type Certificate, isSelfIssued } from '../../pki/certificate.js';
import { OID } from '../../pki/oids.js';
import type { PolicyMapping } from '../../pki/policies.js';
import type { Finding } from '../findings.js';
import type { Path, PolicyInputs } from '../request.js';
import type { Work } from '../work.js';
import { valueOf } from './extensions.js';
import { type Rule, all, finding } from './rule.js';

export const policies: Rule = {
  id: 'policies',
  title: 'policies that hold along the path',
  source: 'RFC 5280 §6.1.3 (d)–(f), §6.1.4 (a)–(j), §6.1.5 (a), (b), (g)',
  concerns: (path, { policy }) => (policy !== undefined || path.certificates.some(saysPolicy) ? all(path) : []),
  check: (path, request, work) => (policies.concerns(path, request).length === 0 ? [] : checkPolicies(path, request.policy ?? {}, work)),
};

const ABOUT_POLICY: readonly string[] = [OID.certificatePolicies, OID.policyConstraints, OID.policyMappings];
const saysPolicy = ({ extensions }: Certificate): boolean => extensions.some(({ oid }) => ABOUT_POLICY.includes(oid));

/**
 * One policy at one depth of the valid policy graph. RFC 5280 §6.1.2 (a) draws a tree, in which the same policy may
 * stand at a depth many times, and so grows without bound (CVE-2023-0464); nodes of one depth and one policy expect the
 * same of what is below them, so that each is kept once here, with all its parents.
 */
interface Node {
  readonly policy: string;
  readonly parents: Set<Node>;
  expected: readonly string[];
}
type Level = Map<string, Node>;

const ANY = OID.anyPolicy;
const NODES_PER_UNIT = 100;

function checkPolicies({ certificates, anchored }: Path, inputs: PolicyInputs, work: Work): Finding[] {
  // the anchor is where the path begins; what is below it is numbered 1 to n from the top (RFC 5280 §6.1)
  const below = (anchored ? certificates.slice(0, -1) : certificates).toReversed();
  const n = below.length;
  const userPolicies = new Set(inputs.initial ?? [ANY]);
  let levels: Level[] = [new Map([[ANY, { policy: ANY, parents: new Set<Node>(), expected: [ANY] }]])];
  let explicitPolicy = inputs.explicit === true ? 0 : n + 1;
  let policyMapping = inputs.inhibitMapping === true ? 0 : n + 1;
  let inhibitAny = inputs.inhibitAny === true ? 0 : n + 1;

  for (const [index, certificate] of below.entries()) {
    const at = n - 1 - index;
    const isLast = at === 0;
    const selfIssued = isSelfIssued(certificate);
    const asserted = valueOf(certificate, OID.certificatePolicies)?.map(({ policy }) => policy);
    work.spend((asserted?.length ?? 0) / NODES_PER_UNIT);
    const anyCounts = inhibitAny > 0 || (!isLast && selfIssued);
    levels = asserted === undefined || levels.length === 0 ? [] : pruned([...levels, nextLevel(levels.at(-1)!, asserted, anyCounts)]);
    if (explicitPolicy === 0 && levels.length === 0)
      return [
        finding(
          'POLICY_NOT_VALID',
          certificate,
          at,
          asserted === undefined ? 'it asserts no policy, and one is needed' : notGranted(asserted),
        ),
      ];

    const constraints = valueOf(certificate, OID.policyConstraints);
    if (isLast) {
      if (explicitPolicy > 0) explicitPolicy--;
      if (constraints?.requireExplicitPolicy === 0) explicitPolicy = 0;
      break;
    }
    const mappings = valueOf(certificate, OID.policyMappings) ?? [];
    if (mappings.some(({ issuerDomain, subjectDomain }) => issuerDomain === ANY || subjectDomain === ANY))
      return [finding('POLICY_MAPPING_ANY', certificate, at, 'maps to or from anyPolicy')];
    work.spend(mappings.length / NODES_PER_UNIT);
    if (levels.length > 0) levels = mapped(levels, mappings, policyMapping > 0);
    if (!selfIssued) {
      if (explicitPolicy > 0) explicitPolicy--;
      if (policyMapping > 0) policyMapping--;
      if (inhibitAny > 0) inhibitAny--;
    }
    explicitPolicy = Math.min(explicitPolicy, constraints?.requireExplicitPolicy ?? explicitPolicy);
    policyMapping = Math.min(policyMapping, constraints?.inhibitPolicyMapping ?? policyMapping);
    inhibitAny = Math.min(inhibitAny, valueOf(certificate, OID.inhibitAnyPolicy) ?? inhibitAny);
  }
  if (explicitPolicy > 0 || isGranted(levels, userPolicies)) return [];
  const leaf = certificates[0] as Certificate;
  const wanted = userPolicies.has(ANY) ? 'any policy' : [...userPolicies].join(' or ');
  return [finding('POLICY_NOT_VALID', leaf, 0, `expected ${wanted} along the whole path, found none that holds`)];
}

const notGranted = (asserted: readonly string[]): string =>
  `its policies (${asserted.slice(0, 5).join(', ')}) are not among those that hold above it, and one is needed`;

/** The nodes for the policies of the next certificate (RFC 5280 §6.1.3 d 1, d 2). */
function nextLevel(last: Level, asserted: readonly string[], anyCounts: boolean): Level {
  const expecting = new Map<string, Node[]>();
  for (const node of last.values()) {
    for (const policy of node.expected) {
      const nodes = expecting.get(policy);
      if (nodes === undefined) expecting.set(policy, [node]);
      else nodes.push(node);
    }
  }
  const any = last.get(ANY);
  const next: Level = new Map();
  const add = (policy: string, parents: readonly Node[]): void => {
    next.set(policy, { policy, parents: new Set(parents), expected: [policy] });
  };
  for (const policy of asserted) {
    if (policy === ANY) continue;
    const parents = expecting.get(policy) ?? (any === undefined ? [] : [any]);
    if (parents.length > 0) add(policy, parents);
  }
  // anyPolicy stands for whatever is expected and was not named
  if (asserted.includes(ANY) && anyCounts) {
    for (const [policy, parents] of expecting) if (!next.has(policy)) add(policy, parents);
  }
  return next;
}

/** Without the nodes that nothing at the last depth comes from (RFC 5280 §6.1.3 d 3); empty: there is no tree any more. */
function pruned(levels: readonly Level[]): Level[] {
  const kept: Level[] = [];
  let alive: ReadonlySet<Node> = new Set(levels.at(-1)!.values());
  for (const level of levels.toReversed()) {
    const left = new Map([...level].filter(([, node]) => alive.has(node)));
    if (left.size === 0) return [];
    kept.push(left);
    alive = new Set([...left.values()].flatMap(({ parents }) => [...parents]));
  }
  return kept.reverse();
}

/** What a CA calls otherwise from here on (RFC 5280 §6.1.4 b): expected so below, or cut off where mapping is inhibited. */
function mapped(levels: readonly Level[], mappings: readonly PolicyMapping[], allowed: boolean): Level[] {
  if (mappings.length === 0) return [...levels];
  const bySource = new Map<string, string[]>();
  for (const { issuerDomain, subjectDomain } of mappings) {
    const targets = bySource.get(issuerDomain);
    if (targets === undefined) bySource.set(issuerDomain, [subjectDomain]);
    else targets.push(subjectDomain);
  }
  const last = new Map(levels.at(-1));
  if (!allowed) {
    for (const policy of bySource.keys()) last.delete(policy);
    return pruned([...levels.slice(0, -1), last]);
  }
  const any = last.get(ANY);
  for (const [policy, targets] of bySource) {
    const node = last.get(policy);
    if (node !== undefined) node.expected = [...new Set(targets)];
    else if (any !== undefined) last.set(policy, { policy, parents: new Set(any.parents), expected: [...new Set(targets)] });
  }
  return [...levels.slice(0, -1), last];
}

/**
 * Is anything left when the tree is cut to the user's policies (RFC 5280 §6.1.5 g)? A policy is the user's business where
 * it was first named: below anyPolicy. From there down everything that comes of a granted one is granted.
 */
function isGranted(levels: readonly Level[], user: ReadonlySet<string>): boolean {
  if (levels.length === 0) return false;
  if (user.has(ANY)) return true;
  let granted: ReadonlySet<Node> = new Set();
  for (const level of levels.slice(1)) {
    const next = new Set<Node>();
    for (const node of level.values()) {
      const isRoot = node.policy !== ANY && user.has(node.policy) && [...node.parents].some(({ policy }) => policy === ANY);
      if (isRoot || [...node.parents].some((parent) => granted.has(parent))) next.add(node);
    }
    granted = next;
  }
  // anyPolicy at the last depth takes on each of the user's policies (RFC 5280 §6.1.5 g iii 3)
  return granted.size > 0 || (levels.at(-1)!.has(ANY) && user.size > 0);
}
