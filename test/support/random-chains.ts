import type { PolicyInputs } from '../../src/validate/request.js';
import { AT } from './chains.js';
import { CRL_FAULTS } from './variations/crl-faults.js';
import { FAULTS } from './variations/faults.js';
import { FEATURES } from './variations/features.js';
import { FORM_FAULTS } from './variations/form-faults.js';
import { NAMES_AT_RANDOM, NAME_FAULTS } from './variations/name-faults.js';
import { type Chain, HOST, IPV4, IPV6, POLICIES, Random, Story, type Variation, type World } from './variations/story.js';

const ALL_FAULTS: readonly Variation[] = [...FAULTS, ...NAME_FAULTS, ...FORM_FAULTS, ...CRL_FAULTS];
export const CHAINS_PER_WORLD = 40;

/** What may be done to a chain, by name; features are meant to leave it good. */
export const VARIATIONS = { features: FEATURES.map(({ name }) => name), faults: ALL_FAULTS.map(({ name }) => name) } as const;

const instants = [
  AT,
  AT,
  AT,
  AT,
  new Date('1999-12-31T23:30:00Z'),
  new Date('2049-12-31T12:00:00Z'),
  new Date('2050-01-03T00:00:00Z'),
] as const;
const [POLICY] = POLICIES;
const INPUTS: readonly (PolicyInputs | undefined)[] = [
  ...Array<undefined>(16).fill(undefined),
  { explicit: true },
  { initial: [POLICY] },
  { initial: [POLICY], explicit: true },
  { initial: [POLICY, POLICIES[1]], explicit: true },
  { explicit: true, inhibitMapping: true },
  { explicit: true, inhibitAny: true },
  { initial: [POLICY], explicit: true, inhibitMapping: true, inhibitAny: true },
];

function worldOf(index: number, random: Random): World {
  const purpose = random.pick(['server', 'client', undefined] as const);
  const name = random.pick([{ host: HOST }, { host: HOST }, { ip: IPV4 }, { ip: IPV6 }, undefined]);
  const policy = random.pick(INPUTS);
  return {
    index,
    at: random.pick(instants),
    withCrls: random.chance(0.5),
    anyAnchors: random.chance(0.4),
    ...(purpose === undefined ? {} : { purpose }),
    ...(name === undefined ? {} : { name }),
    ...(policy === undefined ? {} : { policy }),
  };
}

const POLICY_FEATURES = FEATURES.filter(({ name }) => /^polic|^any policy/.test(name));

/**
 * The world of that number, and its chains. The same seed tells the same again, but for the keys. With `only` there
 * are those chains alone that this one variation fits, and they have no other.
 */
export function randomWorld(seed: number, index: number, only?: string): { readonly world: World; readonly chains: readonly Chain[] } {
  const world = worldOf(index, new Random(seed, index));
  // dealt like cards, so that each is met as often as any other
  const [faults, features] = [new Random(seed).shuffled(ALL_FAULTS), new Random(seed).shuffled(FEATURES)];
  const used = new Set<Variation>();
  const stories = Array.from({ length: CHAINS_PER_WORLD }, (_, i) => {
    const random = new Random(seed, index, i + 1);
    const story = new Story(`${index}.${i}`, world, random);
    const addFrom = (variations: readonly Variation[]): void => {
      for (const variation of variations) {
        if (used.has(variation) || !story.apply(variation)) continue;
        if (variation.onceInWorld === true) used.add(variation);
        return;
      }
    };
    if (only !== undefined) {
      addFrom([...FEATURES, ...ALL_FAULTS].filter(({ name }) => name === only));
      return story;
    }
    const position = index * CHAINS_PER_WORLD + i;
    if (world.policy !== undefined && random.chance(0.7)) addFrom(random.shuffled(POLICY_FEATURES));
    if (random.chance(0.5)) addFrom(cutAt(features, position));
    if (random.chance(0.2)) addFrom(random.shuffled(FEATURES));
    if (random.chance(0.05)) addFrom([NAMES_AT_RANDOM]);
    if (random.chance(0.6)) addFrom(cutAt(faults, position));
    if (random.chance(0.1)) addFrom(random.shuffled(ALL_FAULTS));
    return story;
  });
  const wanted = stories.filter(({ labels }) => only === undefined || labels.includes(only));
  return { world, chains: wanted.map((story) => story.chain()) };
}

function cutAt<T>(deck: readonly T[], position: number): T[] {
  const at = position % deck.length;
  return [...deck.slice(at), ...deck.slice(0, at)];
}
