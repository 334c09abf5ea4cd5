import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import { isError } from '../../../src/errors.js';
import { type Certificate, readCertificate } from '../../../src/pki/certificate.js';
import type { Reason } from '../../../src/pki/crl.js';
import { type Node, extension, name as nameOf, sequence } from '../../../src/pki/encode.js';
import { type KeyType, generateKey } from '../../../src/pki/key.js';
import { OID } from '../../../src/pki/oids.js';
import type { Signer } from '../../../src/pki/sign.js';
import type { PolicyInputs, Purpose } from '../../../src/validate/request.js';
import { type CrlRecipe, DAY, HOUR, type Recipe, certificateDer, certify, crlOf, rsaKey } from '../chains.js';
import { type Bases, constraints, generalNamesOf, inhibitAny, mappings, policies, policyConstraints } from '../extensions.js';

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(...seeds: readonly number[]) {
    this.#state = 0;
    // each seed is stirred in, so that neighbours have nothing to do with each other
    for (const seed of seeds) this.#state = (this.next() * 0x1_0000_0000) ^ (seed * 0x9e37_79b1);
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.below(left.length), 1)[0]!);
  }
}

/** What is asked of all the chains of a world, so that one process of OpenSSL can answer for all of them. */
export interface World {
  readonly index: number;
  readonly at: Date;
  readonly purpose?: Purpose;
  readonly name?: { readonly host: string } | { readonly ip: string };
  readonly withCrls: boolean;
  /** Anchors may be ones that are not self-signed. */
  readonly anyAnchors: boolean;
  readonly policy?: PolicyInputs;
}

/** A chain with what was done to it; everything as bytes, for there may be no reading it. */
export interface Chain {
  readonly id: string;
  readonly labels: readonly string[];
  readonly leaf: Buffer;
  readonly intermediates: readonly Buffer[];
  /** Those of the intermediates that the chain is made of, without what lies beside. */
  readonly line: readonly Buffer[];
  readonly roots: readonly Buffer[];
  readonly crls: readonly Buffer[];
}

type Writable<T> = { -readonly [Key in keyof T]?: T[Key] | undefined };

/** A CRL before it is signed. */
export interface CrlDraft {
  readonly recipe: Writable<Omit<CrlRecipe, 'by' | 'revoked'>>;
  readonly revoked: { readonly draft: Draft; readonly reason?: Reason | number }[];
  by?: Draft;
  damage?: (der: Buffer) => Buffer;
}

/** A certificate before it is signed: what features and faults change. */
export interface Draft {
  attributes: [type: string, value: string][];
  key: KeyObject;
  /** Who issues it, where that is not the one above it. */
  by?: Draft;
  readonly recipe: Writable<Omit<Recipe, 'key' | 'by' | 'more' | 'names'>>;
  names: { dns: string[]; ip: string[]; uri: string[]; email: string[] } | undefined;
  permitted: Bases | undefined;
  excluded: Bases | undefined;
  policies: string[] | undefined;
  mappings: [string, string][];
  policyConstraints: { explicit?: number; mapping?: number } | undefined;
  inhibitAny: number | undefined;
  readonly more: Node[];
  damage?: (der: Buffer) => Buffer;
  crls: CrlDraft[];
}

/** One way to change a chain, by its name. */
export interface Variation {
  readonly name: string;
  readonly fits?: (story: Story) => boolean;
  readonly apply: (story: Story) => void;
  /** Two chains with this would get into each other's way. */
  readonly onceInWorld?: true;
}

/** Policies of nobody. */
export const POLICIES = ['1.3.6.1.4.1.99999.1', '1.3.6.1.4.1.99999.2', '1.3.6.1.4.1.99999.3'] as const;
export const HOST = 'api.shop.test';
export const IPV4 = '10.0.0.7';
export const IPV6 = '2001:db8::7';

/** A mapping of a policy that any policy stood for, where any policy is inhibited. */
export const MAPPED_ANY = 'mapping of what an inhibited any policy stood for';
/** What a chain of one certificate is called: the leaf is the anchor. */
export const ALONE = 'leaf that is the only certificate';

/** A chain that is being told: from the anchor down to the leaf, and what lies beside. */
export class Story {
  readonly id: string;
  readonly world: World;
  readonly random: Random;
  readonly drafts: Draft[] = [];
  readonly labels: string[] = [];
  /** What is at hand besides, or in place. */
  readonly extras: Draft[] = [];
  readonly alsoTrusted: Draft[] = [];
  readonly absent = new Set<Draft>();
  readonly #keys: KeyObject[];

  constructor(id: string, world: World, random: Random) {
    this.id = id;
    this.world = world;
    this.random = random;
    this.#keys = random.shuffled(keys());
    const count = random.pick([1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5]);
    for (let i = 0; i < count; i++) this.drafts.push(this.draft(i === count - 1 ? 'leaf' : i === 0 ? 'root' : `ca ${i}`, i < count - 1));
    const { name } = world;
    const ip = name !== undefined && 'ip' in name ? name.ip : IPV4;
    const leaf = this.leaf;
    leaf.names = { dns: [HOST], ip: [ip], uri: [], email: [] };
    leaf.attributes.splice(1, 0, [OID.organizationalUnitName, 'services']);
    leaf.recipe.purposes = [OID.serverAuth, OID.clientAuth];
    if (count === 1) this.labels.push(ALONE);
  }

  draft(name: string, ca: boolean): Draft {
    const { at } = this.world;
    const shift = (days: number): Date => new Date(at.getTime() + days * DAY);
    const draft: Draft = {
      attributes: [
        [OID.organizationName, `shop ${this.id}`],
        [OID.commonName, `${name} ${this.id}`],
      ],
      key: this.#keys.pop() ?? this.random.pick(keys()),
      recipe: { ca, notBefore: shift(-5), notAfter: shift(5) },
      ...{ names: undefined, permitted: undefined, excluded: undefined, policies: undefined, mappings: [] },
      ...{ policyConstraints: undefined, inhibitAny: undefined, more: [], crls: [] },
    };
    draft.crls.push(this.crl());
    return draft;
  }

  crl(): CrlDraft {
    const time = this.world.at.getTime();
    return { recipe: { thisUpdate: new Date(time - HOUR), nextUpdate: new Date(time + HOUR) }, revoked: [] };
  }

  get leaf(): Draft {
    return this.drafts.at(-1)!;
  }
  get root(): Draft {
    return this.drafts[0]!;
  }
  /** Those between. */
  get middle(): Draft[] {
    return this.drafts.slice(1, -1);
  }
  get authorities(): Draft[] {
    return this.drafts.slice(0, -1);
  }
  /** Who issues that one. */
  above(draft: Draft): Draft {
    const at = this.drafts.indexOf(draft);
    return draft.by ?? (at < 0 ? draft : this.drafts[Math.max(0, at - 1)]!);
  }

  apply(variation: Variation): boolean {
    if (this.labels.includes(variation.name) || variation.fits?.(this) === false) return false;
    this.labels.push(variation.name);
    variation.apply(this);
    return true;
  }

  /** Signs everything. */
  chain(): Chain {
    const signers = new Map<Draft, Signer>();
    const bytes = new Map<Draft, Buffer>();
    const signerOf = (draft: Draft): Signer => {
      const known = signers.get(draft);
      if (known !== undefined) return known;
      const above = this.above(draft);
      const by = above === draft ? {} : { by: signerOf(above) };
      const der = certificateDer({ ...recipeOf(draft), ...by });
      const signer = { certificate: readable(der) ?? standIn(draft), key: draft.key };
      signers.set(draft, signer);
      bytes.set(draft, draft.damage?.(der) ?? der);
      return signer;
    };
    const derOf = (draft: Draft): Buffer => (signerOf(draft), bytes.get(draft)!);
    const certificateOf = (draft: Draft): Certificate => signerOf(draft).certificate;
    const crlsOf = (draft: Draft): Buffer[] =>
      draft.crls.map(({ recipe, revoked, by = draft, damage }) => {
        const entries = revoked.map(({ draft: of, ...rest }) => ({ certificate: certificateOf(of), ...rest }));
        const { der } = crlOf({ by: signerOf(by), ...(recipe as Partial<CrlRecipe>), revoked: entries });
        return damage?.(der) ?? der;
      });
    const present = (drafts: readonly Draft[]): Draft[] => drafts.filter((draft) => !this.absent.has(draft));
    const others = [...this.extras, ...this.alsoTrusted].filter(({ recipe }) => recipe.ca === true);
    const authorities = new Set([...this.authorities, ...others]);
    if (this.#mapsAnyPolicyInhibited() && !this.labels.includes(MAPPED_ANY)) this.labels.push(MAPPED_ANY);
    const line = present(this.middle).map(derOf);
    return {
      id: this.id,
      labels: this.labels,
      leaf: derOf(this.leaf),
      intermediates: this.random.shuffled([...line, ...present(this.extras).map(derOf)]),
      line,
      roots: present([this.root, ...this.alsoTrusted]).map(derOf),
      crls: this.world.withCrls ? this.random.shuffled([...authorities].flatMap(crlsOf)) : [],
    };
  }

  /** Random policies come upon this, too: see DIFFERENCES. */
  #mapsAnyPolicyInhibited(): boolean {
    let inhibited = this.world.policy?.inhibitAny === true;
    return this.middle.some(({ policies = [], mappings, inhibitAny }) => {
      const isMet = inhibited && policies.includes(OID.anyPolicy) && mappings.some(([issuer]) => !policies.includes(issuer));
      inhibited ||= inhibitAny !== undefined;
      return isMet;
    });
  }
}

function recipeOf(draft: Draft): Recipe & { readonly key: KeyObject } {
  const { attributes, key, names, permitted, excluded } = draft;
  const presented = generalNamesOf(names ?? {});
  const more = [
    ...(presented.length === 0 ? [] : [extension(OID.subjectAltName, attributes.length === 0, sequence(...presented))]),
    ...(hasBases(permitted) || hasBases(excluded) ? [constraints(permitted ?? {}, excluded ?? {})] : []),
    ...(draft.policies === undefined ? [] : [policies(...draft.policies)]),
    ...(draft.mappings.length === 0 ? [] : [mappings(...draft.mappings)]),
    ...(draft.policyConstraints === undefined ? [] : [policyConstraints(draft.policyConstraints)]),
    ...(draft.inhibitAny === undefined ? [] : [inhibitAny(draft.inhibitAny)]),
    ...draft.more,
  ];
  return { ...(draft.recipe as Recipe), key, subject: nameOf(attributes), more };
}

const hasBases = (bases: Bases | undefined): boolean => Object.values<readonly unknown[]>({ ...bases }).some((list) => list.length > 0);

function readable(der: Buffer): Certificate | undefined {
  try {
    return readCertificate(der);
  } catch (error) {
    if (!isError(error, 'CERTIFICATE_MALFORMED')) throw error;
    return undefined;
  }
}

/** Who signs in the name of a CA whose own certificate cannot be read. */
const standIn = ({ attributes, key, recipe }: Draft): Certificate =>
  certify({ subject: nameOf(attributes), key, signedBy: keys()[0]!, ca: true, withoutKeyIds: recipe.withoutKeyIds === true }).certificate;

let pool: readonly KeyObject[] | undefined;

/** Keys of each kind, made once: no fault depends on whose they are. */
function keys(): readonly KeyObject[] {
  const many = (type: KeyType, count: number): KeyObject[] => Array.from({ length: count }, () => generateKey(type));
  pool ??= [...many('ecdsa-p256', 15), ...many('ecdsa-p384', 2), rsaKey(2048), ...many('ed25519', 2)];
  return pool;
}

const special = new Map<string, KeyObject>();

/** A key that few should have, the same one each time. */
export function oddKey(kind: 'RSA 1024' | 'RSA 2048' | 'explicit curve' | 'P-192' | 'secp256k1'): KeyObject {
  const known = special.get(kind) ?? makeOddKey(kind);
  special.set(kind, known);
  return known;
}

function makeOddKey(kind: Parameters<typeof oddKey>[0]): KeyObject {
  if (kind.startsWith('RSA')) return rsaKey(Number(kind.slice(4)));
  const explicit = kind === 'explicit curve';
  return generateKeyPairSync('ec', { namedCurve: explicit ? 'P-256' : kind, paramEncoding: explicit ? 'explicit' : 'named' }).privateKey;
}
