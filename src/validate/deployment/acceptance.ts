import type { Certificate } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { type Name, canonicalName } from '../../pki/name.js';
import type { Finding, FindingCode } from '../findings.js';
import type { Purpose, Verdict, VerifyRequest } from '../request.js';
import { verify } from '../verify.js';
import type { Service } from './service.js';

/** Whom somebody trusts. */
export interface Trust {
  readonly roots: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly revocation: NonNullable<VerifyRequest['revocation']>;
}

/** A verdict, and the finding that a refusal is told by. */
interface Judged {
  readonly verdict: Verdict;
  readonly reason: Finding | undefined;
}

/** How the certificate of a service is seen by all for whom the same CAs and CRLs matter to it. */
export class Regard {
  readonly trust: Trust;
  readonly presenter: Service;
  readonly #at: Date;
  readonly #judged: Partial<Record<Purpose, Judged>> = {};

  constructor(trust: Trust, presenter: Service, at: Date) {
    this.trust = trust;
    this.presenter = presenter;
    this.#at = at;
  }

  /** `presenter` must have a certificate. */
  as(purpose: Purpose): Judged {
    return (this.#judged[purpose] ??= this.#judge(purpose));
  }

  #judge(purpose: Purpose): Judged {
    const verdict = judge(this.trust, this.presenter, { purpose, at: this.#at });
    return { verdict, reason: reasonOf(verdict) };
  }
}

/** The verdict of one who trusts these on the certificate of another, as the sidecar of this house comes to it. */
export function judge(
  { roots, crls, revocation }: Trust,
  { chain }: Pick<Service, 'chain'>,
  { purpose, at }: { readonly purpose?: Purpose; readonly at: Date },
): Verdict {
  const [leaf, ...intermediates] = chain;
  return verify({ leaf: leaf!, intermediates, roots, crls, revocation, at, ...(purpose === undefined ? {} : { purpose }) });
}

/**
 * Who would accept whose certificate. What is the same question is asked once: of services that trust alike, and of those
 * that differ only in CAs whose names no certificate of the chain has. So a million pairs of a thousand services cost a
 * few thousand verdicts.
 */
export class Acceptance {
  readonly at: Date;
  readonly #numbers = new Map<Certificate | Crl, number>();
  readonly #groups = new Map<Service, TrustGroup>();
  readonly #regards = new Map<Service, Regards>();

  constructor(services: readonly Service[], at: Date) {
    this.at = at;
    const groups = new Map<string, TrustGroup>();
    for (const service of services) {
      const { bundle, crls, hasAllCrls } = service;
      const key = this.#keyOf({ roots: bundle, crls, revocation: hasAllCrls ? 'when given' : 'required' });
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = groupOf(service)));
      this.#groups.set(service, group);
    }
  }

  /** How `acceptor` sees `presenter`. */
  regard(acceptor: Service, presenter: Service): Regard {
    const group = this.#groups.get(acceptor)!;
    let regards = this.#regards.get(presenter);
    if (regards === undefined) this.#regards.set(presenter, (regards = regardsOf(presenter)));
    let regard = regards.byGroup.get(group);
    if (regard === undefined) regards.byGroup.set(group, (regard = this.#narrowed(group, presenter, regards)));
    return regard;
  }

  #narrowed(group: TrustGroup, presenter: Service, { names, byKey }: Regards): Regard {
    const roots = names.flatMap((name) => group.roots.get(name) ?? []);
    const crls = names.flatMap((name) => group.crls.get(name) ?? []);
    // that CRLs are asked for does not depend on what they are about
    const trust: Trust = { roots, crls, revocation: group.crls.size > 0 ? 'required' : group.revocation };
    const key = this.#keyOf(trust);
    let regard = byKey.get(key);
    if (regard === undefined) byKey.set(key, (regard = new Regard(trust, presenter, this.at)));
    return regard;
  }

  /** By identity: `Material` yields one value for the same bytes. */
  #keyOf({ roots, crls, revocation }: Trust): string {
    const numberOf = (value: Certificate | Crl): number => {
      if (!this.#numbers.has(value)) this.#numbers.set(value, this.#numbers.size);
      return this.#numbers.get(value)!;
    };
    const setOf = (values: readonly (Certificate | Crl)[]): string => [...new Set(values.map(numberOf))].sort((a, b) => a - b).join();
    return `${setOf(roots)}/${setOf(crls)}/${revocation}`;
  }
}

/** Services that trust alike, whatever the order and files; CAs and CRLs by the CA's name. */
interface TrustGroup {
  readonly roots: ReadonlyMap<string, readonly Certificate[]>;
  readonly crls: ReadonlyMap<string, readonly Crl[]>;
  readonly revocation: Trust['revocation'];
}

const groupOf = ({ bundle, crls, hasAllCrls }: Service): TrustGroup => ({
  roots: byName(bundle, ({ subject }) => subject),
  crls: byName(crls, ({ issuer }) => issuer),
  revocation: hasAllCrls ? 'when given' : 'required',
});

function byName<Value>(values: readonly Value[], nameOf: (value: Value) => Name): ReadonlyMap<string, readonly Value[]> {
  const found = new Map<string, Value[]>();
  for (const value of values) {
    const name = canonicalName(nameOf(value));
    const namesakes = found.get(name);
    if (namesakes === undefined) found.set(name, [value]);
    else namesakes.push(value);
  }
  return found;
}

interface Regards {
  /** Of all that are in the chain or issued some of it: no path leads over a CA of another name (RFC 5280 §6.1.3 a 4). */
  readonly names: readonly string[];
  readonly byGroup: Map<TrustGroup, Regard>;
  readonly byKey: Map<string, Regard>;
}

const regardsOf = ({ chain }: Service): Regards => ({
  names: [...new Set(chain.flatMap(({ subject, issuer }) => [canonicalName(subject), canonicalName(issuer)]))],
  byGroup: new Map(),
  byKey: new Map(),
});

/** Which of several findings is told: first those that make the others idle. */
const FIRST_TOLD: readonly FindingCode[] = [
  ...(['ISSUER_NOT_FOUND', 'SELF_SIGNED_UNTRUSTED', 'SIGNATURE_INVALID', 'SEARCH_LIMIT', 'CERT_REVOKED'] as const),
  ...(['CERT_EXPIRED', 'CERT_NOT_YET_VALID', 'EXTENDED_KEY_USAGE', 'KEY_USAGE'] as const),
];

function reasonOf({ valid, errors }: Verdict): Finding | undefined {
  if (valid) return undefined;
  const rank = ({ code }: Finding): number => (FIRST_TOLD.includes(code) ? FIRST_TOLD.indexOf(code) : FIRST_TOLD.length);
  return errors.toSorted((a, b) => rank(a) - rank(b))[0];
}
