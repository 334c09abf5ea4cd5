import { authorityKeyIdentifier, extension, name as nameOf, nothing, octetString, oid, sequence } from '../../../src/pki/encode.js';
import { OID } from '../../../src/pki/oids.js';
import { DAY, HOUR, SCHEMES } from '../chains.js';
import { issuingDistributionPoint } from '../extensions.js';
import { NAME_KINDS, bases, give } from './name-faults.js';
import { type Draft, POLICIES, type Story, type Variation } from './story.js';

const isDeep = ({ drafts }: Story): boolean => drafts.length >= 3;
const hasIssuer = ({ drafts }: Story): boolean => drafts.length >= 2;
const [ONE, TWO, THREE] = POLICIES;

/** Another certificate of that CA: the same name and key. */
function again(story: Story, draft: Draft, by: Draft): Draft {
  const copy: Draft = { ...draft, by, recipe: { ...draft.recipe }, more: [...draft.more], crls: [] };
  story.extras.push(copy);
  return copy;
}

/** Another CA of the same name. */
function namesake(story: Story, draft: Draft, by: Draft): Draft {
  const other = story.draft('namesake', true);
  other.attributes = [...draft.attributes];
  other.by = by;
  return other;
}

const withoutKeyIds = ({ drafts }: Story): void => {
  for (const draft of drafts) draft.recipe.withoutKeyIds = true;
};

/** What leaves a chain good, or is meant to. */
export const FEATURES: readonly Variation[] = [
  {
    name: 'path lengths',
    fits: hasIssuer,
    apply: ({ authorities, random }) => {
      for (const [i, draft] of authorities.entries()) draft.recipe.pathLength = authorities.length - 1 - i + random.below(2);
    },
  },
  {
    name: 'purposes at the CAs',
    fits: hasIssuer,
    apply: ({ authorities, random }) => {
      for (const draft of authorities) if (random.chance(0.7)) draft.recipe.purposes = random.shuffled([OID.serverAuth, OID.clientAuth]);
    },
  },
  {
    name: 'any purpose at a CA',
    fits: hasIssuer,
    apply: ({ authorities, random }) => (random.pick(authorities).recipe.purposes = [OID.anyExtendedKeyUsage]),
  },
  { name: 'any purpose at the leaf', apply: ({ leaf }) => (leaf.recipe.purposes = [OID.anyExtendedKeyUsage]) },
  { name: 'no purposes', apply: ({ leaf }) => (leaf.recipe.purposes = undefined) },
  {
    name: 'self-issued CA',
    fits: isDeep,
    apply: (story) => {
      const after = story.random.pick(story.middle);
      const next = story.draft('again', true);
      next.attributes = [...after.attributes];
      story.drafts.splice(story.drafts.indexOf(after) + 1, 0, next);
      // counted once for both (RFC 5280 §4.2.1.9)
      if (story.random.chance(0.5)) story.root.recipe.pathLength = story.middle.length - 1;
    },
  },
  ...NAME_KINDS.flatMap((kind): Variation[] => [
    {
      name: `${kind.name} permitted`,
      fits: hasIssuer,
      apply: (story) => {
        give(story, kind);
        const draft = story.random.pick(story.authorities);
        draft.permitted = bases(draft.permitted, kind, story.random.pick(kind.within(story)));
      },
    },
    {
      name: `other ${kind.name} excluded`,
      fits: hasIssuer,
      apply: (story) => {
        give(story, kind);
        const draft = story.random.pick(story.authorities);
        draft.excluded = bases(draft.excluded, kind, story.random.pick(kind.outside(story)));
      },
    },
  ]),
  {
    name: 'policies',
    apply: ({ drafts, random }) => {
      for (const draft of drafts) draft.policies = random.shuffled([ONE, ...(random.chance(0.5) ? [TWO] : [])]);
    },
  },
  {
    name: 'any policy',
    apply: ({ drafts, leaf }) => {
      for (const draft of drafts) draft.policies = [draft === leaf ? ONE : OID.anyPolicy];
    },
  },
  {
    name: 'policies by mapping',
    fits: isDeep,
    apply: ({ drafts, random, middle }) => {
      const mapper = random.pick(middle);
      let now: string = ONE;
      for (const draft of drafts) {
        draft.policies = [now];
        if (draft !== mapper) continue;
        draft.mappings = [[ONE, THREE]];
        now = THREE;
      }
    },
  },
  {
    name: 'policies at random',
    apply: ({ drafts, leaf, random }) => {
      for (const draft of drafts) {
        if (random.chance(0.9)) draft.policies = random.shuffled([...POLICIES, OID.anyPolicy]).slice(0, 1 + random.below(3));
        if (draft === leaf) continue;
        if (random.chance(0.4))
          draft.mappings = Array.from({ length: 1 + random.below(2) }, () => [random.pick(POLICIES), random.pick(POLICIES)]);
        if (random.chance(0.2)) draft.policyConstraints = random.chance(0.5) ? { explicit: random.below(3) } : { mapping: random.below(3) };
        if (random.chance(0.2)) draft.inhibitAny = random.below(3);
      }
    },
  },
  {
    name: 'cross-signed CA',
    fits: isDeep,
    apply: (story) => {
      const stranger = story.draft('stranger', true);
      const crossed = again(story, story.random.pick(story.middle), stranger);
      if (story.random.chance(0.5)) story.extras.push(stranger);
      // AKI and SKI of the two are the same: only the issuer differs
      if (story.random.chance(0.3)) crossed.recipe.notAfter = new Date(story.world.at.getTime() + 60 * DAY);
    },
  },
  {
    name: 'cross-signed root',
    fits: hasIssuer,
    apply: (story) => {
      const elder = story.draft('elder', true);
      again(story, story.root, elder);
      if (story.random.chance(0.5)) story.alsoTrusted.push(elder);
      else story.extras.push(elder);
    },
  },
  {
    name: 'root reached through its cross-certificate only',
    fits: ({ drafts, world }) => drafts.length >= 2 && !world.withCrls,
    apply: (story) => {
      const elder = story.draft('elder', true);
      again(story, story.root, elder);
      story.absent.add(story.root);
      story.alsoTrusted.push(elder);
    },
  },
  {
    name: 'other certificates at hand',
    apply: (story) => {
      const stranger = story.draft('stranger', true);
      const theirs = story.draft('not asked for', false);
      theirs.by = stranger;
      story.extras.push(stranger, theirs);
    },
  },
  { name: 'the root and the leaf at hand', apply: (story) => story.extras.push(story.root, story.leaf) },
  { name: 'another root trusted', apply: (story) => story.alsoTrusted.push(story.draft('another root', true)) },
  {
    name: 'namesake of a CA',
    fits: isDeep,
    apply: (story) => {
      const draft = story.random.pick(story.middle);
      story.extras.push(namesake(story, draft, story.above(draft)));
    },
  },
  {
    name: 'namesake of a CA, no key identifiers',
    fits: isDeep,
    apply: (story) => {
      withoutKeyIds(story);
      const draft = story.random.pick(story.middle);
      const other = namesake(story, draft, story.above(draft));
      other.recipe.withoutKeyIds = true;
      story.extras.push(other);
    },
  },
  {
    name: 'namesake of the root trusted',
    fits: hasIssuer,
    apply: (story) => {
      const other = namesake(story, story.root, story.root);
      other.by = other;
      story.alsoTrusted.push(other);
    },
  },
  {
    name: 'expired duplicate of a CA',
    fits: isDeep,
    apply: (story) => {
      const draft = story.random.pick(story.middle);
      const copy = again(story, draft, story.above(draft));
      const end = story.world.at.getTime() - DAY;
      [copy.recipe.notBefore, copy.recipe.notAfter] = [new Date(end - DAY), new Date(end)];
    },
  },
  {
    name: 'duplicate of a CA that is no CA',
    fits: isDeep,
    apply: (story) => {
      const draft = story.random.pick(story.middle);
      const copy = again(story, draft, story.above(draft));
      copy.recipe.ca = false;
      copy.recipe.keyUsage = ['digitalSignature'];
    },
  },
  {
    name: 'duplicate of a CA with a shorter path length',
    fits: ({ drafts }) => drafts.length >= 4,
    apply: (story) => (again(story, story.middle[0]!, story.root).recipe.pathLength = 0),
  },
  { name: 'no key identifiers', apply: withoutKeyIds },
  {
    name: 'anchor that is not self-signed',
    fits: ({ world, drafts }) => world.anyAnchors && drafts.length >= 2,
    apply: (story) => (story.root.by = story.draft('unknown', true)),
  },
  {
    name: 'leaf that is an anchor',
    fits: ({ world, drafts }) => world.anyAnchors && drafts.length >= 2,
    apply: (story) => story.alsoTrusted.push(story.leaf),
  },
  {
    name: 'leaf that is a CA',
    apply: ({ leaf }) => Object.assign(leaf.recipe, { ca: true, keyUsage: ['digitalSignature', 'keyCertSign'] }),
  },
  { name: 'leaf without basic constraints', apply: ({ leaf }) => (leaf.recipe.ca = null) },
  { name: 'leaf without key usage', apply: ({ leaf }) => (leaf.recipe.keyUsage = null) },
  {
    name: 'CA without key usage',
    fits: hasIssuer,
    apply: ({ authorities, random }) => (random.pick(authorities).recipe.keyUsage = null),
  },
  {
    name: 'wildcard',
    apply: ({ leaf }) => {
      leaf.names!.dns = ['*.shop.test'];
    },
  },
  { name: 'host in capitals', apply: ({ leaf }) => (leaf.names!.dns = ['API.Shop.TEST']) },
  {
    name: 'empty subject of the leaf',
    apply: ({ leaf, drafts }) => {
      if (drafts.length > 1) leaf.attributes = [];
    },
  },
  {
    name: 'issuer in another spelling',
    fits: hasIssuer,
    apply: (story) => {
      const attributes = story
        .above(story.leaf)
        .attributes.map(([type, text]) => [type, ` ${text.toUpperCase().replace(' ', '   ')}`] as const);
      story.leaf.recipe.issuer = nameOf(attributes);
    },
  },
  { name: 'first second', apply: ({ random, drafts, world }) => (random.pick(drafts).recipe.notBefore = world.at) },
  { name: 'last second', apply: ({ random, drafts, world }) => (random.pick(drafts).recipe.notAfter = world.at) },
  {
    name: 'unknown extension, not critical',
    apply: ({ random, drafts }) => random.pick(drafts).more.push(extension('1.3.6.1.4.1.99999.7', false, nothing())),
  },
  {
    name: 'key identifiers of other lengths',
    fits: hasIssuer,
    apply: ({ leaf, authorities }) => {
      for (const draft of [...authorities, leaf]) draft.recipe.withoutKeyIds = true;
      const id = Buffer.from('0102', 'hex');
      authorities.at(-1)!.more.push(extension(OID.subjectKeyIdentifier, false, octetString(id)));
      leaf.more.push(authorityKeyIdentifier(id));
    },
  },
  {
    name: 'ECDSA with SHA-384',
    fits: (story) => story.above(story.leaf).key.asymmetricKeyType === 'ec',
    apply: ({ leaf }) => (leaf.recipe.scheme = SCHEMES.ecdsaSha384),
  },
  { name: 'tls feature', apply: ({ leaf }) => leaf.more.push(extension(OID.tlsFeature, false, sequence())) },
  {
    name: 'code signing too',
    apply: ({ leaf }) => (leaf.recipe.purposes = [OID.codeSigning, OID.serverAuth, OID.clientAuth]),
  },
  {
    name: 'extended key usage critical',
    apply: ({ leaf }) => {
      leaf.recipe.purposes = undefined;
      leaf.more.push(extension(OID.extendedKeyUsage, true, sequence(oid(OID.serverAuth), oid(OID.clientAuth))));
    },
  },
  ...crlFeatures(),
];

function crlFeatures(): Variation[] {
  const fits = ({ world, authorities }: Story): boolean =>
    world.withCrls && authorities.length > 0 && authorities.every(({ crls }) => crls.length > 0);
  return [
    {
      name: 'others are revoked',
      fits,
      apply: (story) => {
        for (const draft of story.authorities) {
          for (let left = story.random.below(4); left > 0; left--) {
            const other = story.draft('other', false);
            other.by = draft;
            draft.crls[0]!.revoked.push({ draft: other, reason: 'superseded' });
          }
        }
      },
    },
    {
      name: 'stale CRL beside the good one',
      fits,
      apply: (story) => {
        const stale = story.crl();
        const time = story.world.at.getTime();
        [stale.recipe.thisUpdate, stale.recipe.nextUpdate] = [new Date(time - 4 * HOUR), new Date(time - 3 * HOUR)];
        story.random.pick(story.authorities).crls.push(stale);
      },
    },
    {
      name: 'a CRL for users and one for CAs',
      fits,
      apply: (story) => {
        const { crls } = story.random.pick(story.authorities);
        const other = story.crl();
        crls[0]!.recipe.more = [issuingDistributionPoint({ flags: [1] })];
        other.recipe.more = [issuingDistributionPoint({ flags: [2] })];
        crls.push(other);
      },
    },
    {
      name: 'CRL without key identifier',
      fits,
      apply: ({ random, authorities }) => (random.pick(authorities).crls[0]!.recipe.withoutKeyId = true),
    },
    {
      name: 'CRL to the last second',
      fits,
      apply: ({ random, authorities, world }) => (random.pick(authorities).crls[0]!.recipe.nextUpdate = world.at),
    },
    {
      name: 'CRL from the first second',
      fits,
      apply: ({ random, authorities, world }) => (random.pick(authorities).crls[0]!.recipe.thisUpdate = world.at),
    },
    { name: 'CRL without an end', fits, apply: ({ random, authorities }) => (random.pick(authorities).crls[0]!.recipe.nextUpdate = null) },
    {
      name: 'CRL with an unknown extension, not critical',
      fits,
      apply: ({ random, authorities }) =>
        (random.pick(authorities).crls[0]!.recipe.more = [extension('1.3.6.1.4.1.99999.8', false, nothing())]),
    },
  ];
}
