import { DAY, parseDuration } from '../../base/duration.js';
import { given } from '../../base/given.js';
import { MtlsError } from '../../errors.js';
import { type PublicKeyInfo, describeKey } from '../../pki/algorithms.js';
import { KEY_TYPES, type KeyType } from '../../pki/key.js';
import { OID, oidName } from '../../pki/oids.js';
import type { Fields } from '../issue/fields.js';
import { asLabel } from '../names.js';
import { configPath, readConfig } from './config-file.js';
import { type Pattern, dnsPattern, ipPattern, uriPattern } from './patterns.js';
import { type CertificateProfile, type ServiceIdentity, asOrganization, defaultNames } from './profiles.js';
import { asPurpose } from './purposes.js';

/** What a workspace issues. What is left out is not limited. */
export interface Policy {
  /** Where it stands. */
  readonly path: string;
  readonly names?: NamePolicy;
  /** Milliseconds. */
  readonly maximumLife?: number;
  readonly keyTypes?: readonly KeyType[];
  readonly profiles?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly extendedKeyUsages?: readonly string[];
  readonly organizations?: readonly string[];
}

/** Names that somebody asks for; of a kind that is not among the patterns, none. */
interface NamePolicy {
  /** May a service always have the names that follow from its own? */
  readonly defaults: boolean;
  readonly dns: readonly Pattern[];
  readonly ip: readonly Pattern[];
  readonly uri: readonly Pattern[];
}

const KEYS = ['names', 'maximumLife', 'keyTypes', 'profiles', 'namespaces', 'extendedKeyUsages', 'organizations'] as const;
const NAME_KEYS = ['defaults', 'dns', 'ip', 'uri'] as const;

/** Each name that is asked for is compared with all of them. */
const PATTERNS = 1_000;

/** The policy in `policy.yaml` or `policy.json` of a directory; undefined when there is none. Throws POLICY_INVALID, or what reading says. */
export async function readWorkspacePolicy(stem: string): Promise<Policy | undefined> {
  const path = configPath(stem.replace(/\.(?:yaml|json)$/, ''));
  return path === undefined ? undefined : readPolicy(path);
}

/** The policy in a file. Throws POLICY_INVALID. */
export async function readPolicy(path: string, text?: string): Promise<Policy> {
  return readConfig(path, KEYS, (fields) => policyOf(path, fields), text);
}

function policyOf(path: string, fields: Fields<(typeof KEYS)[number]>): Policy {
  return {
    path,
    ...given({
      names: namePolicyOf(fields.inner('names', NAME_KEYS)),
      maximumLife: fields.one('maximumLife', 'a duration such as 90d', (text) => parseDuration(text)),
      keyTypes: fields.many('keyTypes', 'key types', asKeyType),
      profiles: fields.many('profiles', 'names of profiles', (text) => asLabel(text, 'profile')),
      namespaces: fields.many('namespaces', 'namespaces', (text) => asLabel(text, 'namespace')),
      extendedKeyUsages: fields.many('extendedKeyUsages', 'purposes', asPurpose),
      organizations: fields.many('organizations', 'names', asOrganization),
    }),
  };
}

function namePolicyOf(fields: Fields<(typeof NAME_KEYS)[number]> | undefined): NamePolicy | undefined {
  if (fields === undefined) return undefined;
  const patterns = (kind: 'dns' | 'ip' | 'uri', read: (text: string) => Pattern): readonly Pattern[] => {
    const found = fields.many(kind, 'patterns', read) ?? [];
    if (found.length > PATTERNS) fields.fail(kind, 'TOO_MANY', `expected at most ${PATTERNS} patterns, found ${found.length}`);
    return found;
  };
  return {
    defaults: fields.flag('defaults') ?? true,
    dns: patterns('dns', dnsPattern),
    ip: patterns('ip', ipPattern),
    uri: patterns('uri', uriPattern),
  };
}

function asKeyType(text: string): KeyType {
  if ((KEY_TYPES as readonly string[]).includes(text)) return text as KeyType;
  throw new MtlsError('VALUE_INVALID', { what: 'key type', found: text, expected: `one of ${KEY_TYPES.join(', ')}` });
}

/** A certificate that is to be issued, in plain words. */
export interface Wanted extends ServiceIdentity {
  readonly profile: string;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  /** From now to its end, in milliseconds. */
  readonly life: number;
  /** One of KEY_TYPES, or what `keyTypeOf` says of a public key. */
  readonly keyType: string;
  readonly subject: readonly (readonly [type: string, value: string])[];
  readonly extendedKeyUsage: readonly string[];
}

/** The rules of a policy, by the keys that they have in its file; and the limit of the profile itself. */
type PolicyRule = Exclude<(typeof KEYS)[number], 'names'> | 'names.dns' | 'names.ip' | 'names.uri' | 'subject' | 'profile.maximumLife';

/** One thing that a policy does not allow. */
export interface Violation {
  readonly rule: PolicyRule;
  readonly asked: string;
  readonly allowed: readonly string[];
  readonly message: string;
}

/** The type of a public key by the names of KEY_TYPES, or in words where it has none of them: `rsa-2560`, `EC P-521`. */
export function keyTypeOf(key: Pick<PublicKeyInfo, 'type' | 'bits' | 'curve' | 'algorithm'>): string {
  const known: Readonly<Record<string, KeyType>> = { 'EC P-256': 'ecdsa-p256', 'EC P-384': 'ecdsa-p384', Ed25519: 'ed25519' };
  const words = describeKey(key);
  return key.type === 'RSA' ? `rsa-${key.bits}` : (known[words] ?? words);
}

/** How long a certificate lives when nobody says so: as the profile has it, and no longer than is allowed. */
export function usualLife(profile: CertificateProfile, policy: Policy | undefined): number {
  return Math.min(profile.defaultLife, policy?.maximumLife ?? Infinity);
}

/** All that a policy, and the profile that is asked for, do not allow of a certificate; nothing when it may be issued. */
export function judge(wanted: Wanted, policy: Policy | undefined, profile?: CertificateProfile): Violation[] {
  const found = profile?.maximumLife === undefined ? [] : tooLong('profile.maximumLife', wanted.life, profile.maximumLife);
  if (policy === undefined) return found;
  return [
    ...notAmong('profiles', 'profile', [wanted.profile], policy.profiles),
    ...notAmong('namespaces', 'namespace', [wanted.namespace], policy.namespaces),
    ...(policy.names === undefined ? [] : namesBeyond(wanted, policy.names)),
    ...(policy.maximumLife === undefined ? [] : tooLong('maximumLife', wanted.life, policy.maximumLife)),
    ...found,
    ...notAmong('keyTypes', 'key type', [wanted.keyType], policy.keyTypes),
    ...notAmong('extendedKeyUsages', 'purpose', wanted.extendedKeyUsage, policy.extendedKeyUsages, oidName),
    ...subjectBeyond(wanted, policy),
  ];
}

/** Throws POLICY_REFUSES with all that `judge` finds. */
export function assertAllowed(wanted: Wanted, policy: Policy | undefined, profile?: CertificateProfile): void {
  const violations = judge(wanted, policy, profile);
  if (violations.length > 0) throw new MtlsError('POLICY_REFUSES', { name: wanted.name, violations, ...given({ path: policy?.path }) });
}

function notAmong(
  rule: PolicyRule,
  what: string,
  asked: readonly string[],
  allowed: readonly string[] | undefined,
  inWords = (value: string): string => value,
): Violation[] {
  if (allowed === undefined) return [];
  return asked.filter((value) => !allowed.includes(value)).map((value) => violation(rule, what, inWords(value), allowed.map(inWords)));
}

function violation(rule: PolicyRule, what: string, asked: string, allowed: readonly string[]): Violation {
  const rest = allowed.length === 0 ? 'none is' : `${rule} has ${few(allowed)}`;
  return { rule, asked, allowed, message: `${what} ${asked} is not allowed: ${rest}` };
}

const few = (values: readonly string[]): string =>
  values.length <= 8 ? values.join(', ') : `${values.slice(0, 8).join(', ')} and ${values.length - 8} more`;

function namesBeyond(wanted: Wanted, policy: NamePolicy): Violation[] {
  const { dns, uri, local } = defaultNames(wanted);
  const always = policy.defaults ? { dns: [...dns, ...local.dns], ip: local.ip, uri } : { dns: [], ip: [], uri: [] };
  const what = { dns: 'DNS name', ip: 'address', uri: 'URI' };
  return (['dns', 'ip', 'uri'] as const).flatMap((kind) =>
    wanted[kind]
      .filter((name) => !always[kind].includes(name) && !policy[kind].some(({ allows }) => allows(name)))
      .map((name) =>
        violation(
          `names.${kind}`,
          what[kind],
          name,
          policy[kind].map(({ text }) => text),
        ),
      ),
  );
}

function tooLong(rule: 'maximumLife' | 'profile.maximumLife', life: number, most: number): Violation[] {
  if (life <= most) return [];
  const [asked, allowed] = [inDays(life), inDays(most)];
  return [{ rule, asked, allowed: [allowed], message: `a life of ${asked} is not allowed: ${rule} is ${allowed}` }];
}

/** Exactly, in a form that a policy may have. */
function inDays(milliseconds: number): string {
  const units = [
    [DAY, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1_000, 's'],
  ] as const;
  const [size, unit] = units.find(([each]) => milliseconds % each === 0) ?? [1, 'ms'];
  return `${milliseconds / size}${unit}`;
}

/** A subject has the service's name, and an organization where the policy has it. */
function subjectBeyond({ subject, name }: Wanted, { organizations }: Policy): Violation[] {
  const of = (type: string): string[] => subject.flatMap(([each, value]) => (each === type ? [value] : []));
  const others = subject.filter(([type]) => type !== OID.commonName && type !== OID.organizationName);
  return [
    ...notAmong('subject', 'common name', of(OID.commonName), [name]),
    ...notAmong('organizations', 'organization', of(OID.organizationName), organizations),
    ...others.map(([type, value]) => violation('subject', oidName(type), value, [])),
  ];
}
