import { contextConstructed } from '../../../src/pki/der.js';
import { type Node, element, embed, extension, implicit, name as nameOf, sequence, toDer } from '../../../src/pki/encode.js';
import { OID } from '../../../src/pki/oids.js';
import { type Bases, generalNamesOf } from '../extensions.js';
import { HOST, IPV6, type Story, type Variation } from './story.js';

type Base = string | readonly (readonly [type: string, value: string])[];

/** A kind of name: one that the leaf has, and subtrees that have it within and that have not. */
interface NameKind {
  readonly name: 'dns' | 'ip' | 'uri' | 'email' | 'directory';
  readonly own: string | undefined;
  readonly within: (story: Story) => readonly Base[];
  readonly outside: (story: Story) => readonly Base[];
}

const isV6 = ({ leaf }: Story): boolean => leaf.names?.ip[0] === IPV6;
const hasIssuer = ({ drafts }: Story): boolean => drafts.length >= 2;
const shop = ({ id }: Story): [string, string] => [OID.organizationName, `shop ${id}`];

export const NAME_KINDS: readonly NameKind[] = [
  {
    name: 'dns',
    own: HOST,
    within: () => ['shop.test', '.shop.test', 'test', 'SHOP.test', ''],
    outside: () => ['other.test', 'op.test', 'eu.api.shop.test', '.api.shop.test', 'api.shop.test.test', 'shop'],
  },
  {
    name: 'ip',
    own: undefined,
    within: (story) =>
      isV6(story) ? ['2001:db8::/ffff:ffff::', '::/::'] : ['10.0.0.0/255.0.0.0', '10.0.0.7/255.255.255.255', '0.0.0.0/0.0.0.0'],
    outside: (story) => (isV6(story) ? ['2001:db9::/ffff:ffff::'] : ['10.0.0.8/255.255.255.248', '11.0.0.0/255.0.0.0']),
  },
  {
    name: 'uri',
    own: 'https://api.shop.test:8443/x',
    within: () => ['api.shop.test', '.shop.test', '.test'],
    outside: () => ['shop.test', '.api.shop.test', 'other.test', 'pi.shop.test'],
  },
  {
    name: 'email',
    own: 'Ops@mail.shop.test',
    within: () => ['Ops@mail.shop.test', 'mail.shop.test', '.shop.test', 'MAIL.shop.test'],
    outside: () => ['dev@mail.shop.test', 'shop.test', '.mail.shop.test', 'other.test', 'ops@mail.shop.test'],
  },
  {
    name: 'directory',
    own: undefined,
    within: (story) => [[shop(story)], [], [[OID.organizationName, `SHOP  ${story.id}`]]],
    outside: (story) => [
      [[OID.organizationName, 'another shop']],
      [shop(story), [OID.organizationalUnitName, 'nobody']],
      [[OID.organizationalUnitName, 'services']],
    ],
  },
];

/** Makes sure that the leaf has a name of that kind. */
export function give({ leaf }: Story, { name, own }: NameKind): void {
  if (own === undefined || name === 'directory' || leaf.names === undefined) return;
  if (!leaf.names[name].includes(own)) leaf.names[name].push(own);
}

export function bases(before: Bases | undefined, { name }: Pick<NameKind, 'name'>, base: Base): Bases {
  return { ...before, [name]: [...(before?.[name] ?? []), base] };
}

/** Names that a leaf may have, and subtrees that may or may not have them within. */
const MANY = {
  dns: {
    names: [
      HOST,
      'shop.test',
      'a.b.shop.test',
      'xshop.test',
      'API.Shop.test',
      '_x.shop.test',
      'test',
      'shop.test.evil.example',
      'x-1.api.shop.test',
    ],
    bases: ['shop.test', '.shop.test', 'b.shop.test', 'test', '.test', 'SHOP.test', 'hop.test', HOST, '', '_x.shop.test', 'evil.example'],
  },
  ip: {
    names: ['10.0.0.7', '10.0.1.7', '192.168.0.1', '2001:db8::7', '::ffff:10.0.0.7', '0.0.0.0'],
    bases: [
      '10.0.0.0/255.255.255.0',
      '10.0.0.0/255.0.0.0',
      '10.0.0.7/255.255.255.255',
      '0.0.0.0/0.0.0.0',
      '192.168.0.0/255.255.254.0',
      '2001:db8::/ffff:ffff::',
      '::/::',
      '10.0.0.99/255.255.255.128',
    ],
  },
  uri: {
    names: [
      'https://api.shop.test/',
      'spiffe://shop.test/x',
      'https://shop.test:80',
      'http://API.shop.test/?x',
      'ldap://a.b.shop.test/#f',
      'https://shop.test/@evil.example/',
    ],
    bases: ['shop.test', '.shop.test', HOST, 'API.shop.test', '.test', 'b.shop.test', 'evil.example'],
  },
  email: {
    names: ['ops@shop.test', 'OPS@shop.test', 'ops@mail.shop.test', 'dev@Shop.Test', 'a.b+c@x.mail.shop.test'],
    bases: ['ops@shop.test', 'shop.test', '.shop.test', 'mail.shop.test', 'ops@SHOP.test', '.mail.shop.test', 'test'],
  },
} as const;

/** Neither good nor bad: both validators are to say the same, whatever comes of it. */
export const NAMES_AT_RANDOM: Variation = {
  name: 'names and constraints at random',
  fits: hasIssuer,
  apply: (story) => {
    const { random, leaf } = story;
    const some = <T>(items: readonly T[], most: number): T[] => random.shuffled(items).slice(0, random.below(most + 1));
    const { dns, ip, uri, email } = MANY;
    const asked = Object.values<string>(story.world.name ?? {});
    leaf.names = {
      dns: [...asked.filter((name) => name === HOST), ...some(dns.names, 2)],
      ip: [...asked.filter((name) => name !== HOST), ...some(ip.names, 1)],
      uri: some(uri.names, 1),
      email: some(email.names, 1),
    };
    const directory = [
      [],
      [shop(story)],
      [shop(story), [OID.organizationalUnitName, 'services']],
      [[OID.organizationName, 'another']],
    ] as const;
    const list = (most: number): Bases => ({
      ...{ dns: some(dns.bases, most), ip: some(ip.bases, most), uri: some(uri.bases, most), email: some(email.bases, most) },
      directory: some(directory, 1),
    });
    for (const ca of story.authorities) {
      if (random.chance(0.4)) ca.permitted = list(random.pick([1, 1, 3, 9]));
      else if (random.chance(0.3)) ca.excluded = list(1);
    }
  },
};

const raw = (node: Node): Bases => ({ raw: [node] });
const text = (tag: number, value: string): Node => implicit(tag, Buffer.from(value, 'latin1'));
const isHost = ({ world }: Story): boolean => world.name !== undefined && 'host' in world.name;
const isIp = ({ world }: Story): boolean => world.name !== undefined && 'ip' in world.name;

/** A fault in which the leaf has these names, and a CA these constraints. */
function constrained(name: string, permitted: Bases | undefined, excluded: Bases | undefined, change: (story: Story) => void): Variation {
  return {
    name,
    fits: hasIssuer,
    apply: (story) => {
      const draft = story.random.pick(story.authorities);
      if (permitted !== undefined) draft.permitted = { ...draft.permitted, ...permitted };
      if (excluded !== undefined) draft.excluded = { ...draft.excluded, ...excluded };
      change(story);
    },
  };
}

const named = (name: string, dns: readonly string[]): Variation => ({
  name,
  fits: isHost,
  apply: ({ leaf }) => {
    leaf.names = { dns: [...dns], ip: [], uri: [], email: [] };
  },
});

/** What is wrong with the names of a leaf, or with what its CAs may issue for. */
export const NAME_FAULTS: readonly Variation[] = [
  ...NAME_KINDS.flatMap((kind): Variation[] => [
    {
      name: `${kind.name} not permitted`,
      fits: hasIssuer,
      apply: (story) => {
        give(story, kind);
        const draft = story.random.pick(story.authorities);
        // in place of what may be permitted already: one more subtree takes nothing away
        draft.permitted = { ...draft.permitted, [kind.name]: [story.random.pick(kind.outside(story))] };
      },
    },
    {
      name: `${kind.name} excluded`,
      fits: hasIssuer,
      apply: (story) => {
        give(story, kind);
        const draft = story.random.pick(story.authorities);
        draft.excluded = bases(draft.excluded, kind, story.random.pick(kind.within(story)));
      },
    },
  ]),
  constrained('wildcard over an excluded name', undefined, { dns: [HOST] }, ({ leaf }) => leaf.names && (leaf.names.dns = ['*.shop.test'])),
  constrained('wildcard over a permitted name', { dns: [HOST] }, undefined, ({ leaf }) => leaf.names && (leaf.names.dns = ['*.shop.test'])),
  constrained(
    'wildcard within what is permitted',
    { dns: ['shop.test'] },
    undefined,
    ({ leaf }) => leaf.names && (leaf.names.dns = ['*.shop.test']),
  ),
  constrained(
    'wildcard just outside of what is excluded',
    undefined,
    { dns: ['.api.shop.test'] },
    ({ leaf }) => leaf.names && (leaf.names.dns = ['*.shop.test']),
  ),
  NAMES_AT_RANDOM,
  constrained('empty uri permitted', { uri: [''] }, undefined, (story) => give(story, NAME_KINDS[2]!)),
  constrained('empty email permitted', { email: [''] }, undefined, (story) => give(story, NAME_KINDS[3]!)),
  constrained('empty uri excluded', undefined, { uri: [''] }, (story) => give(story, NAME_KINDS[2]!)),
  constrained('uri without a host', { uri: ['.shop.test'] }, undefined, ({ leaf }) => leaf.names?.uri.push('urn:shop:api')),
  constrained('uri of an address', { uri: ['.shop.test'] }, undefined, ({ leaf }) => leaf.names?.uri.push('https://10.0.0.7/')),
  constrained('uri of an address, excluded', undefined, { uri: ['.other.test'] }, ({ leaf }) => leaf.names?.uri.push('https://10.0.0.7/')),
  constrained('uri with user and port', { uri: ['api.shop.test'] }, undefined, ({ leaf }) =>
    leaf.names?.uri.push('https://me@api.shop.test:1/'),
  ),
  constrained('uri with a query behind its host', { uri: ['api.shop.test'] }, undefined, ({ leaf }) =>
    leaf.names?.uri.push('https://api.shop.test?x'),
  ),
  constrained('uri with a user before an excluded host', undefined, { uri: ['evil.test'] }, ({ leaf }) =>
    leaf.names?.uri.push('https://api.shop.test@evil.test/'),
  ),
  constrained('uri with another host as its user', { uri: ['.shop.test'] }, undefined, ({ leaf }) =>
    leaf.names?.uri.push('https://api.shop.test@evil.test/'),
  ),
  constrained('email in the subject, not permitted', { email: ['shop.test'] }, undefined, ({ leaf }) =>
    leaf.attributes.push([OID.emailAddress, 'ops@other.test']),
  ),
  constrained('email in the subject, permitted', { email: ['shop.test'] }, undefined, ({ leaf }) =>
    leaf.attributes.push([OID.emailAddress, 'ops@shop.test']),
  ),
  constrained('email in the subject and another in the SAN', { email: ['shop.test'] }, undefined, ({ leaf }) => {
    leaf.attributes.push([OID.emailAddress, 'ops@other.test']);
    leaf.names?.email.push('ops@shop.test');
  }),
  constrained('common name not permitted', { dns: ['shop.test'] }, undefined, ({ leaf }) => {
    leaf.names = { dns: [], ip: leaf.names?.ip ?? [], uri: [], email: [] };
    leaf.attributes = [...leaf.attributes.slice(0, 2), [OID.commonName, 'api.other.test']];
  }),
  constrained(
    'names of a kind that is constrained and not supported',
    raw(implicit(8, Buffer.from('2a0304', 'hex'))),
    undefined,
    ({ leaf }) => {
      leaf.more.push(
        extension(
          OID.subjectAltName,
          false,
          sequence(...generalNamesOf({ dns: [HOST], ip: leaf.names?.ip ?? [] }), implicit(8, Buffer.from('2a0304', 'hex'))),
        ),
      );
      leaf.names = undefined;
    },
  ),
  constrained('constraints of a kind that nobody has', raw(implicit(8, Buffer.from('2a0304', 'hex'))), undefined, () => undefined),
  constrained('constraint on addresses with holes in its mask', { ip: ['10.0.0.0/255.0.255.0'] }, undefined, () => undefined),
  constrained('constraint on addresses that is too short', undefined, raw(implicit(7, Buffer.alloc(4))), () => undefined),
  constrained('constraint with a wildcard', undefined, { dns: ['*.other.test'] }, () => undefined),
  {
    name: 'constraint with a minimum',
    fits: hasIssuer,
    apply: (story) => oddConstraints(story, implicit(0, Buffer.from([1]))),
  },
  {
    name: 'constraint with a maximum',
    fits: hasIssuer,
    apply: (story) => oddConstraints(story, implicit(1, Buffer.from([1]))),
  },
  {
    name: 'name constraints that are empty',
    fits: hasIssuer,
    apply: ({ random, authorities }) => random.pick(authorities).more.push(extension(OID.nameConstraints, true, sequence())),
  },
  { name: 'name constraints of the leaf', apply: ({ leaf }) => (leaf.excluded = { dns: ['shop.test'] }) },
  {
    name: 'CA below with names that are not permitted',
    fits: ({ drafts }) => drafts.length >= 3,
    apply: ({ root, random, middle }) => {
      root.permitted = { dns: ['shop.test'] };
      random.pick(middle).names = { dns: ['ca.other.test'], ip: [], uri: [], email: [] };
    },
  },
  {
    name: 'self-issued CA with names that are not permitted',
    fits: ({ drafts }) => drafts.length >= 3,
    apply: (story) => {
      story.root.permitted = { dns: ['shop.test'] };
      const next = story.draft('again', true);
      const after = story.random.pick(story.middle);
      next.attributes = [...after.attributes];
      next.names = { dns: ['ca.other.test'], ip: [], uri: [], email: [] };
      story.drafts.splice(story.drafts.indexOf(after) + 1, 0, next);
    },
  },
  named('another host', ['web.shop.test']),
  named('a host above', ['shop.test']),
  named('wildcard for the host itself', ['*.api.shop.test']),
  named('wildcard over two labels', ['*.test']),
  named('wildcard in the middle', ['api.*.test']),
  named('wildcard within a label', ['a*.shop.test']),
  named('wildcard at the end of a label', ['*i.shop.test']),
  named('two wildcards', ['*.*.test']),
  named('bare wildcard', ['*']),
  named('host with a dot at the end', [`${HOST}.`]),
  named('host with a blank', [`${HOST} `]),
  named('no names at all', []),
  {
    name: 'common name only',
    fits: isHost,
    apply: ({ leaf }) => {
      leaf.names = undefined;
      leaf.attributes = [...leaf.attributes.slice(0, 2), [OID.commonName, HOST]];
    },
  },
  {
    name: 'common name beside an address',
    fits: isHost,
    apply: ({ leaf }) => {
      leaf.names = { dns: [], ip: ['10.0.0.9'], uri: [], email: [] };
      leaf.attributes = [...leaf.attributes.slice(0, 2), [OID.commonName, HOST]];
    },
  },
  {
    name: 'common name beside another host',
    fits: isHost,
    apply: ({ leaf }) => {
      leaf.names = { dns: ['web.shop.test'], ip: [], uri: [], email: [] };
      leaf.attributes = [...leaf.attributes.slice(0, 2), [OID.commonName, HOST]];
    },
  },
  {
    name: 'another address',
    fits: isIp,
    apply: ({ leaf }) => (leaf.names = { dns: [HOST], ip: ['10.0.0.8', '2001:db8::8'], uri: [], email: [] }),
  },
  {
    name: 'address as a host',
    fits: ({ world }) => world.name !== undefined && 'ip' in world.name && !world.name.ip.includes(':'),
    apply: ({ leaf }) => (leaf.names = { dns: ['10.0.0.7'], ip: [], uri: [], email: [] }),
  },
  {
    name: 'address as a common name',
    fits: isIp,
    apply: ({ leaf, world }) => {
      leaf.names = undefined;
      leaf.attributes = [...leaf.attributes.slice(0, 2), [OID.commonName, Object.values(world.name!)[0] as string]];
    },
  },
  san('SAN with an address of five octets', implicit(7, Buffer.alloc(5))),
  san('SAN with a host that is not ASCII', text(2, 'sh\xf6p.test')),
  san('SAN with a constructed host', embed(element(contextConstructed(2), [Buffer.from('0c017a', 'hex')]))),
  san('SAN with an other name', embed(Buffer.from('a00a06032a0304a0030c0178', 'hex'))),
  san('SAN with a directory name', embed(element(contextConstructed(4), [toDer(nameOf([[OID.commonName, 'someone']]))]))),
  san('SAN with a registered identifier', implicit(8, Buffer.from('2a0304', 'hex'))),
  san('SAN with NUL in a host', text(2, `${HOST}\0.evil.test`)),
];

/** Constraints on host names, or on mailboxes, which no leaf has unless something gives it one. */
function oddConstraints({ random, authorities }: Story, distance: Node): void {
  const base = random.chance(0.5) ? text(2, 'shop.test') : text(1, 'shop.test');
  const subtree = toDer(sequence(base, distance));
  random.pick(authorities).more.push(extension(OID.nameConstraints, true, sequence(embed(element(contextConstructed(0), [subtree])))));
}

/** The names of the leaf, and this one. */
function san(name: string, node: Node): Variation {
  return {
    name,
    apply: ({ leaf }) => {
      const names = leaf.names ?? { dns: [HOST] };
      leaf.names = undefined;
      leaf.more.push(extension(OID.subjectAltName, false, sequence(...generalNamesOf(names), node)));
    },
  };
}
