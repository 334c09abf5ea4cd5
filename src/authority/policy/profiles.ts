import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { readError } from '../../base/files.js';
import { given } from '../../base/given.js';
import { nearest } from '../../base/nearest.js';
import { DAY, parseDuration } from '../../base/duration.js';
import { MtlsError, isError, systemCode } from '../../errors.js';
import type { SubjectNames } from '../../pki/encode.js';
import { OID } from '../../pki/oids.js';
import { serviceId } from '../../validate/identity.js';
import type { Fields } from '../issue/fields.js';
import { asDnsName, asIpAddress, asLabel, asUri } from '../names.js';
import { EXTENSIONS, configPath, readConfig } from './config-file.js';
import { PURPOSE_NAMES, asPurpose } from './purposes.js';

/** What all certificates of a kind have in common. Lives are in milliseconds. */
export interface CertificateProfile {
  readonly name: string;
  /** Object identifiers; at least one. */
  readonly extendedKeyUsage: readonly string[];
  /** The O of the subject, before its CN. */
  readonly organization?: string;
  /** Names beside the default ones, with `{name}`, `{namespace}` and `{trustDomain}` in them. */
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  /** URIs instead of the SPIFFE ID: with two of them a certificate has no SPIFFE ID (X509-SVID §2). */
  readonly uri?: readonly string[];
  /** The names that Kubernetes gives a service: `api`, `api.default.svc`, `api.default.svc.cluster.local`. */
  readonly defaultNames: boolean;
  /** localhost, 127.0.0.1 and ::1. */
  readonly localhost: boolean;
  readonly defaultLife: number;
  readonly maximumLife?: number;
}

/** Whose certificate it is to be. */
export interface ServiceIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly trustDomain: string;
}

const DEFAULT_LIFE = 90 * DAY;

const builtIn = (name: string, extendedKeyUsage: readonly string[], localhost: boolean): CertificateProfile => ({
  ...{ name, extendedKeyUsage, localhost, dns: [], ip: [] },
  ...{ defaultNames: true, defaultLife: DEFAULT_LIFE },
});

/** The profiles that every workspace has. */
export const BUILT_IN: readonly CertificateProfile[] = [
  builtIn('server', [OID.serverAuth], true),
  builtIn('client', [OID.clientAuth], false),
  builtIn('peer', [OID.serverAuth, OID.clientAuth], true),
];

const KEYS = [
  ...['extendedKeyUsage', 'organization', 'dns', 'ip', 'uri'],
  ...['defaultNames', 'localhost', 'defaultLife', 'maximumLife'],
] as readonly ProfileKey[];
type ProfileKey = Exclude<keyof CertificateProfile, 'name'>;

/**
 * The profiles of these names: those built in, and those that the team has as files in `directory`. Only the files that are
 * asked for are read. Throws PROFILE_NOT_FOUND with the names that there are, NAME_NOT_DNS_LABEL, POLICY_INVALID.
 */
export async function readProfiles(directory: string, names: Iterable<string>): Promise<ReadonlyMap<string, CertificateProfile>> {
  const profiles = new Map<string, CertificateProfile>();
  for (const name of new Set(names)) profiles.set(name, await readNamed(directory, name));
  return profiles;
}

async function readNamed(directory: string, name: string): Promise<CertificateProfile> {
  const stem = join(directory, asLabel(name, 'profile'));
  const path = configPath(stem);
  const known = BUILT_IN.find((profile) => profile.name === name);
  if (known !== undefined && path !== undefined)
    throw new MtlsError('POLICY_INVALID', { path, problems: [`${name} is built in, expected another name`] });
  if (known !== undefined) return known;
  if (path !== undefined) return readProfile(path);
  const there = profileNames(directory);
  throw new MtlsError('PROFILE_NOT_FOUND', { name, known: there, ...given({ meant: nearest(name, there) }) });
}

/** The names of all profiles that there are. */
export function profileNames(directory: string): string[] {
  const names = new Set(BUILT_IN.map(({ name }) => name));
  try {
    for (const file of fs.readdirSync(directory).sort()) {
      const extension = EXTENSIONS.find((each) => file.endsWith(each));
      if (extension !== undefined) names.add(basename(file, extension));
    }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw readError(directory, error);
  }
  return [...names];
}

/** The profile in a file, whose name is the profile's. Throws POLICY_INVALID, NAME_NOT_DNS_LABEL. */
export async function readProfile(path: string, text?: string): Promise<CertificateProfile> {
  const file = basename(path);
  const name = asLabel(file.replace(/\.(?:yaml|json)$/, ''), 'profile');
  return readConfig(path, KEYS, (fields) => profileOf(name, fields), text);
}

function profileOf(name: string, fields: Fields<ProfileKey>): CertificateProfile {
  const extendedKeyUsage = fields.many('extendedKeyUsage', 'purposes', asPurpose);
  // without the extension a certificate would be good for everything
  if (!fields.has('extendedKeyUsage') || extendedKeyUsage?.length === 0)
    fields.fail('extendedKeyUsage', 'FIELD_MISSING', `expected at least one of ${PURPOSE_NAMES.join(', ')}, or an object identifier`);
  const maximumLife = fields.one('maximumLife', 'a duration such as 90d', (text) => parseDuration(text));
  const defaultLife = fields.one('defaultLife', 'a duration such as 30d', (text) => parseDuration(text));
  if (maximumLife !== undefined && defaultLife !== undefined && defaultLife > maximumLife)
    fields.fail('defaultLife', 'FIELD_CONFLICT', 'longer than maximumLife');
  return {
    name,
    extendedKeyUsage: [...new Set(extendedKeyUsage)],
    dns: fields.many('dns', 'DNS names', (text) => asTemplate(text, asDnsName)) ?? [],
    ip: fields.many('ip', 'addresses', asIpAddress) ?? [],
    defaultNames: fields.flag('defaultNames') ?? true,
    localhost: fields.flag('localhost') ?? false,
    defaultLife: defaultLife ?? Math.min(DEFAULT_LIFE, maximumLife ?? DEFAULT_LIFE),
    ...given({
      organization: fields.one('organization', 'a name', asOrganization),
      uri: fields.many('uri', 'URIs', (text) => asTemplate(text, asUri)),
      maximumLife,
    }),
  };
}

/** At most 64 characters (ub-organization-name, RFC 5280 appendix A.1) that can be seen. */
export function asOrganization(text: string): string {
  if (/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u.test(text) && text.trim() === text) return text;
  throw new MtlsError('VALUE_INVALID', { what: 'organization', found: text, expected: '1 to 64 characters, no control characters' });
}

type Check = (name: string) => string;

/** Is what it gives for some service a name? Whether it does for each is seen when there is one. */
function asTemplate(text: string, check: Check): string {
  check(filled(text, { name: 'name', namespace: 'namespace', trustDomain: 'trust.test' }));
  return text;
}

/** `{name}`, `{namespace}` and `{trustDomain}` with what they stand for. Throws VALUE_INVALID for others. */
function filled(text: string, service: ServiceIdentity): string {
  return text.replace(/\{[^{}]*\}?|\}/g, (found) => {
    const key = found.slice(1, -1);
    if (found.endsWith('}') && (key === 'name' || key === 'namespace' || key === 'trustDomain')) return service[key];
    throw new MtlsError('VALUE_INVALID', { what: 'name', found: text, expected: 'no braces but {name}, {namespace} and {trustDomain}' });
  });
}

/** The names that a service has by default, whatever its profile says: who may be called so needs no policy. */
export function defaultNames({
  name,
  namespace,
  trustDomain,
}: ServiceIdentity): SubjectNames & { readonly local: Pick<SubjectNames, 'dns' | 'ip'> } {
  return {
    uri: [serviceId(trustDomain, namespace, name)],
    dns: [name, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`],
    ip: [],
    local: { dns: ['localhost'], ip: ['127.0.0.1', '::1'] },
  };
}

/** The names that a profile gives a service: those that it has by default, and its own, which somebody wrote down. Throws VALUE_INVALID. */
export function namesByProfile(
  profile: CertificateProfile,
  service: ServiceIdentity,
): { readonly usual: SubjectNames; readonly own: SubjectNames } {
  const { dns, uri, local } = defaultNames(service);
  const fill = (templates: readonly string[], check: Check): string[] =>
    templates.map((template) => named(profile, template, () => check(filled(template, service))));
  return {
    usual: {
      uri: profile.uri === undefined ? uri : [],
      dns: [...(profile.defaultNames ? dns : []), ...(profile.localhost ? local.dns : [])],
      ip: profile.localhost ? local.ip : [],
    },
    own: { uri: fill(profile.uri ?? [], asUri), dns: fill(profile.dns, asDnsName), ip: profile.ip },
  };
}

/** What a template gave is told as the profile's, not as a flag's. */
function named(profile: CertificateProfile, template: string, make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
    const { found, expected } = error.facts;
    throw new MtlsError('VALUE_INVALID', { what: `${template} of profile ${profile.name}`, found, expected }, { cause: error });
  }
}
