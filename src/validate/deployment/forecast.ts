import type { Certificate } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { isSameName, labelOf } from '../../pki/name.js';
import type { FindingCode } from '../findings.js';
import type { Purpose, Verdict } from '../request.js';
import { type Acceptance, type Regard, judge } from './acceptance.js';
import type { Policy } from './policy.js';
import type { Service } from './service.js';

/** Something that ends, and what ends with it. */
export interface Ending {
  readonly ends: number;
  readonly what: 'leaf' | 'CA' | 'CRL';
  /** The service of a leaf, else the CA. */
  readonly whose: string;
  /** One of the files that it is in. */
  readonly file: string;
  /** How many services have it. */
  readonly heldBy: number;
  /** Those whose certificate is then no longer good by their own CAs and CRLs. */
  readonly services: readonly Service[];
  /** How many connections do not work without it. */
  readonly links: number;
  /** The first of them. */
  readonly firstLinks: readonly { readonly client: Service; readonly server: Service }[];
}

export interface ForecastOptions {
  /** Milliseconds from the instant of `acceptance`. */
  readonly within: number;
  readonly policy?: Policy | undefined;
}

/** How many links are told one by one. */
const LINKS_TOLD = 100;

/**
 * What ends within a span, in order of time, and what that takes down: each as if what ended before it had been renewed.
 * What has ended already is there where nothing else is in the way of a link.
 */
export function forecast(services: readonly Service[], acceptance: Acceptance, { within, policy }: ForecastOptions): readonly Ending[] {
  const now = acceptance.at.getTime();
  const horizon = now + within;
  const items = new Map<Item, Noted>();
  for (const service of services) note(service, items);
  const ends = new AllEnds(now, horizon);
  for (const service of services) for (const item of ownEnds(service, ends, acceptance)) items.get(item)!.services.push(service);
  for (const [client, server, ended] of endingLinks(services, { ends, acceptance, policy })) {
    for (const item of ended) {
      const noted = items.get(item)!;
      noted.links++;
      if (noted.firstLinks.length < LINKS_TOLD) noted.firstLinks.push({ client, server });
    }
  }
  return [...items.values()]
    .filter((noted) => noted.ends <= horizon && (noted.ends >= now || noted.services.length > 0 || noted.links > 0))
    .sort((a, b) => a.ends - b.ends || b.links - a.links || (a.whose < b.whose ? -1 : 1));
}

function ownEnds(service: Service, ends: AllEnds, acceptance: Acceptance): ReadonlySet<Item> {
  const { chain, distrusts, roles } = service;
  if (chain.length === 0 || distrusts !== undefined) return new Set();
  const regard = acceptance.regard(service, service);
  return new Set(
    roles.flatMap((role) => {
      const found = ends.of(regard, role);
      return found === 'dead' ? [] : found;
    }),
  );
}

interface Terms {
  readonly ends: AllEnds;
  readonly acceptance: Acceptance;
  readonly policy: Policy | undefined;
}

/** Links that something that ends takes down, on either side. */
function* endingLinks(services: readonly Service[], { ends, acceptance, policy }: Terms) {
  const able = services.filter(({ unable, distrusts }) => unable === undefined && distrusts === undefined);
  for (const client of able) {
    for (const server of able) {
      if (client === server || policy?.allows(client, server) === false) continue;
      const ofServer = ends.of(acceptance.regard(client, server), 'server');
      const ofClient = ofServer === 'dead' ? 'dead' : ends.of(acceptance.regard(server, client), 'client');
      if (ofServer === 'dead' || ofClient === 'dead') continue;
      const more = ofClient.filter((item) => !ofServer.includes(item));
      if (ofServer.length > 0 || more.length > 0) yield [client, server, [...ofServer, ...more]] as const;
    }
  }
}

type Item = Certificate | Crl;
type Noted = { -readonly [Field in keyof Ending]: Ending[Field] extends readonly (infer Each)[] ? Each[] : Ending[Field] };

/** All that a service holds; `Material` yields one value for the same bytes. */
function note({ name, chain, bundle, crls, files }: Service, items: Map<Item, Noted>): void {
  const [leaf, ...rest] = chain;
  const held = new Set<Item>();
  const add = (item: Item, what: Ending['what'], whose: string, file: string): void => {
    if (held.has(item)) return;
    held.add(item);
    const known = items.get(item);
    if (known !== undefined) known.heldBy++;
    else items.set(item, { ends: endOf(item), what, whose, file, heldBy: 1, services: [], links: 0, firstLinks: [] });
  };
  if (leaf !== undefined) add(leaf, 'leaf', name, files.certificate);
  for (const ca of bundle) add(ca, 'CA', labelOf(ca.subject), files.bundle ?? files.certificate);
  for (const ca of rest) add(ca, 'CA', labelOf(ca.subject), files.chain ?? files.certificate);
  for (const crl of crls) add(crl, 'CRL', labelOf(crl.issuer), files.crls[0]!);
}

const endOf = (item: Item): number => ('notAfter' in item ? item.notAfter : (item.nextUpdate ?? Infinity));

/** What ends of all that the acceptance of a certificate rests on; `dead`: it is refused today, and not only for age. */
type Ends = readonly Item[] | 'dead';

/** What ends of each, found out once. */
class AllEnds {
  readonly #now: number;
  readonly #horizon: number;
  readonly #renewed = new Renewed();
  readonly #known = new Map<Regard, Partial<Record<Purpose, Ends>>>();

  constructor(now: number, horizon: number) {
    this.#now = now;
    this.#horizon = horizon;
  }

  of(regard: Regard, purpose: Purpose): Ends {
    let known = this.#known.get(regard);
    if (known === undefined) this.#known.set(regard, (known = {}));
    return (known[purpose] ??= this.#find(regard, purpose));
  }

  /**
   * Goes from end to end and asks again behind each: another path or a newer CRL may hold, and then nothing has happened.
   * What has taken something down is taken as renewed from there on, for what ends next is of interest too.
   */
  #find(regard: Regard, purpose: Purpose): Ends {
    const { roots, crls, revocation } = regard.trust;
    const ended = new Set<Item>();
    let at = this.#now;
    let { verdict } = regard.as(purpose);
    let next: readonly Item[] = [];
    for (;;) {
      const trust = { roots: this.#renewed.all(roots, ended), crls: this.#renewed.all(crls, ended), revocation };
      const chain = this.#renewed.all(regard.presenter.chain, ended);
      if (at > this.#now || ended.size > 0) verdict = judge(trust, { chain }, { purpose, at: new Date(at) });
      if (verdict.valid) {
        next = nextToEnd(verdict, trust.crls, at);
        const until = Math.min(...next.map(endOf));
        if (until > this.#horizon) return [...ended];
        // ends are inclusive, to the second (RFC 5280 §4.1.2.5)
        at = until + 1_000;
      } else {
        const over = next.length > 0 ? next : overdue(verdict, trust.crls, at);
        if (over.length === 0) return at === this.#now ? 'dead' : [...ended];
        for (const item of over) ended.add(item);
        next = [];
      }
    }
  }
}

/** Of the certificates of a path and the CRLs of its CAs. */
function nextToEnd({ path }: Verdict, crls: readonly Crl[], at: number): readonly Item[] {
  const ofPath = crls.filter(({ issuer }) => path.slice(1).some(({ subject }) => isSameName(subject, issuer)));
  const lasting = [...path, ...ofPath].filter((item) => endOf(item) >= at);
  const until = Math.min(...lasting.map(endOf));
  return lasting.filter((item) => endOf(item) === until);
}

const AGE: ReadonlySet<FindingCode> = new Set(['CERT_EXPIRED', 'CRL_EXPIRED']);

/** What a refusal is for, when it is for nothing but age. Of several CRLs of a CA, all late, the last stood in for the others. */
function overdue({ errors, path }: Verdict, crls: readonly Crl[], at: number): readonly Item[] {
  if (errors.some(({ code }) => !AGE.has(code))) return [];
  const late = errors.flatMap((finding) =>
    finding.code === 'CRL_EXPIRED' && finding.at !== undefined ? (path[finding.at + 1] ?? []) : [],
  );
  const last = late.flatMap(({ subject }) => {
    const ofCa = crls.filter(({ issuer }) => isSameName(issuer, subject));
    return ofCa.toSorted((a, b) => endOf(b) - endOf(a)).slice(0, 1);
  });
  return [...path, ...last].filter((item) => endOf(item) < at);
}

/** The last instant that a Date can have. */
const ALWAYS = 8.64e15;

/** Things as they will be once they are renewed; one copy of each, so that its signature is checked once. */
class Renewed {
  readonly #copies = new Map<Item, Item>();

  all<Each extends Item>(items: readonly Each[], ended: ReadonlySet<Item>): readonly Each[] {
    return ended.size === 0 ? items : items.map((item) => (ended.has(item) ? this.#copyOf(item) : item));
  }

  #copyOf<Each extends Item>(item: Each): Each {
    let copy = this.#copies.get(item);
    if (copy === undefined)
      this.#copies.set(item, (copy = 'notAfter' in item ? { ...item, notAfter: ALWAYS } : { ...item, nextUpdate: ALWAYS }));
    return copy as Each;
  }
}
