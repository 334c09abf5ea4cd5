import { readFileBounded } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import { identityOf, parseSpiffeId } from '../identity.js';
import { type DeploymentFinding, warning } from './findings.js';
import type { Service } from './service.js';

/** Who is meant to talk to whom. */
export interface Policy {
  readonly allows: (client: Service, server: Service) => boolean;
  /** Lines that are about nobody here: a name mistyped must not look like a link that works. */
  readonly findings: readonly DeploymentFinding[];
}

const POLICY_LIMIT = 1024 * 1024;
const LINES = 10_000;

/**
 * Reads a policy: `CLIENT -> SERVER` a line, `#` begins a comment. Each is the name of a service or a SPIFFE ID; a `*`
 * stands for one whole segment, in an ID not for its trust domain. Throws VALUE_INVALID, or what reading the file says.
 */
export function readPolicy(path: string, services: readonly Service[]): Policy {
  const lines = readFileBounded(path, POLICY_LIMIT)
    .toString('utf8')
    .split('\n')
    .map((line, i) => ({ text: line.replace(/#.*/, '').trim(), number: i + 1 }))
    .filter(({ text }) => text !== '');
  if (lines.length === 0 || lines.length > LINES)
    throw new MtlsError('VALUE_INVALID', { what: path, found: `${lines.length} lines`, expected: `1 to ${LINES} lines CLIENT -> SERVER` });
  return policyOf(
    lines.map(({ text, number }) => parseLine(text, path, number)),
    services,
  );
}

interface Line {
  readonly text: string;
  readonly file: string;
  readonly number: number;
  readonly client: Matcher;
  readonly server: Matcher;
}

type Matcher = (service: Service) => boolean;

function parseLine(text: string, file: string, number: number): Line {
  const [client, server, ...more] = text.split('->').map((side) => side.trim());
  const matchers = [client ?? '', server ?? ''].map(matcherOf);
  if (more.length > 0 || matchers[0] === undefined || matchers[1] === undefined)
    throw new MtlsError('VALUE_INVALID', {
      ...{ what: `${file} line ${number}`, found: text },
      expected: 'CLIENT -> SERVER, each the name of a service or a SPIFFE ID (a segment may be *)',
    });
  return { text, file, number, client: matchers[0], server: matchers[1] };
}

function matcherOf(text: string): Matcher | undefined {
  if (text === '' || /\s/.test(text)) return undefined;
  const wanted = text.split('/');
  if (!text.includes(':')) return ({ name }) => matches(name.split('/'), wanted, 0);
  // a star stands for a whole segment of the path, never for a trust domain
  const isPattern = parseSpiffeId(wanted.map((segment, i) => (i > 2 && segment === '*' ? 'any' : segment)).join('/')) !== undefined;
  if (!isPattern) return undefined;
  return ({ chain: [leaf] }) => {
    const identity = leaf === undefined ? undefined : identityOf(leaf);
    return identity !== undefined && matches(identity.id.split('/'), wanted, 3);
  };
}

const matches = (found: readonly string[], wanted: readonly string[], starsFrom: number): boolean =>
  found.length === wanted.length && wanted.every((segment, i) => (segment === '*' && i >= starsFrom) || segment === found[i]);

function policyOf(lines: readonly Line[], services: readonly Service[]): Policy {
  const asClient = new Map(services.map((service) => [service, lines.filter(({ client }) => client(service))]));
  const asServer = new Map(services.map((service) => [service, new Set(lines.filter(({ server }) => server(service)))]));
  const findings = lines.flatMap((line) => {
    const nobody = [
      ...(services.some((service) => line.client(service)) ? [] : ['client']),
      ...(services.some((service) => line.server(service)) ? [] : ['server']),
    ];
    if (nobody.length === 0) return [];
    return [warning('POLICY_UNMATCHED', `line ${line.number}, ${line.text}: no ${nobody.join(' and no ')} of that name here`, line.file)];
  });
  return {
    allows: (client, server) => asClient.get(client)!.some((line) => asServer.get(server)!.has(line)),
    findings,
  };
}
