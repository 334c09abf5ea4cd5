import {
  authorityKeyIdentifier,
  extension,
  nothing,
  sequence,
  oid,
  implicit,
  embed,
  element,
  toDer,
  name as nameOf,
} from '../../../src/pki/encode.js';
import { contextConstructed } from '../../../src/pki/der.js';
import { OID } from '../../../src/pki/oids.js';
import { DAY, SCHEMES } from '../chains.js';
import { type Draft, MAPPED_ANY, POLICIES, type Story, type Variation, oddKey } from './story.js';

const isDeep = ({ drafts }: Story): boolean => drafts.length >= 3;
const hasIssuer = ({ drafts }: Story): boolean => drafts.length >= 2;
const [ONE, TWO] = POLICIES;

/** The same fault in the leaf, in a CA between and in the root. */
function atEach(what: string, change: (draft: Draft, story: Story) => void, levels = ['leaf', 'CA', 'root']): Variation[] {
  const all: Variation[] = [
    { name: `leaf ${what}`, fits: hasIssuer, apply: (story) => change(story.leaf, story) },
    { name: `CA ${what}`, fits: isDeep, apply: (story) => change(story.random.pick(story.middle), story) },
    { name: `root ${what}`, fits: hasIssuer, apply: (story) => change(story.root, story) },
  ];
  return all.filter(({ name }) => levels.includes(name.slice(0, name.indexOf(' '))));
}

const shift = ({ world }: Story, days: number): Date => new Date(world.at.getTime() + days * DAY);

function flip(der: Buffer): Buffer {
  const copy = Buffer.from(der);
  copy[copy.length - 1]! ^= 1;
  return copy;
}

function withSha1(draft: Draft, story: Story): void {
  const type = story.above(draft).key.asymmetricKeyType;
  // Ed25519 has no digest to choose
  if (type !== 'ed25519') draft.recipe.scheme = type === 'rsa' ? SCHEMES.rsaSha1 : SCHEMES.ecdsaSha1;
}

/** What is wrong with one certificate, or with how a chain hangs together. */
export const FAULTS: readonly Variation[] = [
  ...atEach('expired', ({ recipe }, story) => ([recipe.notBefore, recipe.notAfter] = [shift(story, -3), shift(story, -1)])),
  ...atEach('not yet valid', ({ recipe }, story) => ([recipe.notBefore, recipe.notAfter] = [shift(story, 1), shift(story, 3)])),
  ...atEach('expired by a second', ({ recipe }, story) => (recipe.notAfter = new Date(story.world.at.getTime() - 1000))),
  ...atEach(
    'with dates that are crossed',
    ({ recipe }, story) => ([recipe.notBefore, recipe.notAfter] = [shift(story, 1), shift(story, -1)]),
  ),
  ...atEach('with a signature that has a wrong bit', (draft) => (draft.damage = flip)),
  ...atEach('signed by another key', (draft, story) => (draft.recipe.signedBy = story.draft('signer', true).key), ['leaf', 'CA']),
  ...atEach('with an unknown critical extension', ({ more }) => more.push(extension('1.3.6.1.4.1.99999.9', true, nothing()))),
  ...atEach('with SHA-1', withSha1),
  ...atEach(
    'with MD5',
    (draft, story) => {
      const above = story.above(draft);
      above.key = oddKey('RSA 2048');
      draft.recipe.scheme = SCHEMES.rsaMd5;
    },
    ['leaf', 'CA'],
  ),
  ...atEach('of RSA 1024', (draft) => (draft.key = oddKey('RSA 1024'))),
  ...atEach('of an explicit curve', (draft) => (draft.key = oddKey('explicit curve'))),
  ...atEach('of P-192', (draft) => (draft.key = oddKey('P-192'))),
  ...atEach('of secp256k1', (draft) => (draft.key = oddKey('secp256k1'))),
  ...atEach(
    'with another algorithm inside',
    (draft) => (draft.recipe.innerScheme = draft.key.asymmetricKeyType === 'ed25519' ? SCHEMES.rsaSha256 : SCHEMES.ed25519),
    ['leaf', 'CA'],
  ),
  ...atEach(
    'with the algorithm of another type of key',
    (draft, story) => {
      const type = story.above(draft).key.asymmetricKeyType;
      draft.recipe.scheme =
        type === 'rsa' ? { ...SCHEMES.ecdsaSha256 } : { ...SCHEMES.rsaSha256, digest: type === 'ed25519' ? null : 'sha256' };
    },
    ['leaf', 'CA'],
  ),
  ...atEach(
    'with parameters that are left out, or too many',
    (draft, story) => {
      const scheme =
        { rsa: SCHEMES.rsaSha256, ed25519: SCHEMES.ed25519 }[story.above(draft).key.asymmetricKeyType as string] ?? SCHEMES.ecdsaSha256;
      draft.recipe.scheme = { ...scheme, nullParameters: !scheme.nullParameters };
    },
    ['leaf', 'CA'],
  ),
  ...atEach('with CA:FALSE', ({ recipe }) => (recipe.ca = false), ['CA', 'root']),
  ...atEach('without basic constraints', ({ recipe }) => (recipe.ca = null), ['CA', 'root']),
  ...atEach('without basic constraints and key usage', ({ recipe }) => ([recipe.ca, recipe.keyUsage] = [null, null]), ['CA', 'root']),
  ...atEach('without keyCertSign', ({ recipe }) => (recipe.keyUsage = ['digitalSignature', 'cRLSign']), ['CA', 'root']),
  ...atEach('of version 1', ({ recipe }) => (recipe.bare = true)),
  ...atEach('for other purposes', ({ recipe }) => (recipe.purposes = [OID.codeSigning, OID.emailProtection])),
  ...atEach(
    'for the other end of a connection',
    ({ recipe }, { world }) => (recipe.purposes = [world.purpose === 'client' ? OID.serverAuth : OID.clientAuth]),
  ),
  {
    name: 'key usage that shakes no hands',
    fits: hasIssuer,
    apply: ({ leaf }) => (leaf.recipe.keyUsage = ['dataEncipherment', 'nonRepudiation']),
  },
  { name: 'key usage of an encryption key', fits: hasIssuer, apply: ({ leaf }) => (leaf.recipe.keyUsage = ['keyEncipherment']) },
  {
    name: 'path length exceeded',
    fits: isDeep,
    apply: (story) => {
      const draft = story.random.pick(story.authorities.slice(0, -1));
      draft.recipe.pathLength = Math.max(
        0,
        new Set(story.drafts.slice(story.drafts.indexOf(draft) + 1, -1).map(({ attributes }) => String(attributes))).size - 1,
      );
    },
  },
  { name: 'path length of a leaf', apply: ({ leaf }) => (leaf.recipe.pathLength = 0) },
  {
    name: 'wrong issuer name',
    fits: hasIssuer,
    apply: ({ leaf, id }) => (leaf.recipe.issuer = nameOf([[OID.commonName, `nobody ${id}`]])),
  },
  { name: 'empty issuer', onceInWorld: true, fits: isDeep, apply: ({ middle }) => (middle.at(-1)!.attributes = []) },
  {
    name: 'untrusted root',
    fits: hasIssuer,
    apply: (story) => (story.absent.add(story.root), story.extras.push(story.draft('other', true))),
  },
  { name: 'untrusted root at hand', fits: isDeep, apply: (story) => void (story.root.by ?? takeRoot(story)) },
  {
    name: 'another root of that name',
    fits: hasIssuer,
    apply: (story) => {
      const other = story.draft('root', true);
      other.attributes = [...story.root.attributes];
      story.absent.add(story.root);
      story.alsoTrusted.push(other);
    },
  },
  { name: 'missing CA', fits: isDeep, apply: (story) => story.absent.add(story.random.pick(story.middle)) },
  {
    name: 'namesake in place of a CA',
    fits: isDeep,
    apply: (story) => {
      const draft = story.random.pick(story.middle);
      const other = story.draft('namesake', true);
      other.attributes = [...draft.attributes];
      other.by = story.above(draft);
      other.recipe.withoutKeyIds = story.random.chance(0.5);
      story.absent.add(draft);
      story.extras.push(other);
    },
  },
  { name: 'self-signed leaf', fits: hasIssuer, apply: ({ leaf }) => (leaf.by = leaf) },
  {
    name: 'key identifier of another issuer',
    fits: hasIssuer,
    apply: ({ leaf }) => (leaf.recipe.authorityKeyId = authorityKeyIdentifier(Buffer.alloc(20, 7))),
  },
  {
    name: 'issuer and serial number of another issuer',
    fits: hasIssuer,
    apply: (story) => {
      const issuer = element(contextConstructed(1), [
        element(contextConstructed(4), [toDer(nameOf(story.above(story.above(story.leaf)).attributes))]),
      ]);
      story.leaf.recipe.authorityKeyId = extension(
        OID.authorityKeyIdentifier,
        false,
        sequence(embed(issuer), implicit(2, Buffer.from('7fff', 'hex'))),
      );
    },
  },
  ...policyFaults(),
];

function takeRoot(story: Story): void {
  story.absent.add(story.root);
  story.extras.push(Object.assign({}, story.root, { by: story.root }));
}

function policyFaults(): Variation[] {
  const told = (story: Story): void => {
    for (const draft of story.drafts) draft.policies = [ONE];
  };
  return [
    {
      name: 'policy of others only',
      apply: ({ drafts }) => {
        for (const draft of drafts) draft.policies = [TWO];
      },
    },
    {
      name: 'policy that is lost at the leaf',
      apply: (story) => {
        told(story);
        story.leaf.policies = undefined;
      },
    },
    {
      name: 'policy that is lost at a CA',
      fits: isDeep,
      apply: (story) => {
        told(story);
        story.random.pick(story.middle).policies = [TWO];
      },
    },
    {
      name: 'explicit policy required by a CA',
      fits: isDeep,
      apply: (story) => {
        story.random.pick(story.middle).policyConstraints = { explicit: story.random.below(2) };
        for (const draft of story.drafts) draft.policies = undefined;
      },
    },
    {
      name: 'explicit policy required by the root',
      fits: isDeep,
      apply: (story) => {
        story.root.policyConstraints = { explicit: 0 };
        for (const draft of story.drafts) draft.policies = undefined;
      },
    },
    {
      name: 'mapping inhibited by a CA above',
      fits: ({ drafts }) => drafts.length >= 4,
      apply: ({ drafts, middle: [upper, lower] }) => {
        for (const draft of drafts) draft.policies = [ONE];
        upper!.policyConstraints = { mapping: 0, explicit: 0 };
        lower!.mappings = [[ONE, TWO]];
        for (const draft of drafts.slice(drafts.indexOf(lower!) + 1)) draft.policies = [TWO];
      },
    },
    {
      name: 'any policy inhibited by a CA above',
      fits: ({ drafts }) => drafts.length >= 4,
      apply: ({ drafts, middle: [upper] }) => {
        for (const draft of drafts) draft.policies = [OID.anyPolicy];
        upper!.inhibitAny = 0;
        upper!.policyConstraints = { explicit: 0 };
      },
    },
    {
      name: MAPPED_ANY,
      fits: ({ drafts }) => drafts.length >= 4,
      apply: ({ drafts, middle: [upper, lower] }) => {
        for (const draft of drafts) draft.policies = [ONE];
        upper!.inhibitAny = 0;
        upper!.policyConstraints = { explicit: 0 };
        upper!.policies = [OID.anyPolicy];
        lower!.policies = [OID.anyPolicy];
        lower!.mappings = [[ONE, TWO]];
        for (const draft of drafts.slice(drafts.indexOf(lower!) + 1)) draft.policies = [TWO];
      },
    },
    {
      name: 'mapping of any policy',
      fits: isDeep,
      apply: (story) => {
        told(story);
        story.random.pick(story.middle).mappings = [story.random.chance(0.5) ? [OID.anyPolicy, ONE] : [ONE, OID.anyPolicy]];
      },
    },
    { name: 'policy twice', apply: ({ leaf }) => (leaf.policies = [ONE, ONE]) },
    {
      name: 'empty policy constraints',
      fits: isDeep,
      apply: ({ middle, random }) => random.pick(middle).more.push(extension(OID.policyConstraints, true, sequence())),
    },
    {
      name: 'critical policy with an unknown qualifier',
      apply: (story) => {
        told(story);
        story.leaf.policies = undefined;
        const qualifier = sequence(oid('1.3.6.1.4.1.99999.5'), nothing());
        story.leaf.more.push(extension(OID.certificatePolicies, true, sequence(sequence(oid(ONE), sequence(qualifier)))));
      },
    },
  ];
}
