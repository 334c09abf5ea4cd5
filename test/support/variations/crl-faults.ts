import { TAG } from '../../../src/pki/der.js';
import {
  type Node,
  element,
  embed,
  enumerated,
  extension,
  integer,
  nothing,
  oid,
  sequence,
  time,
  toDer,
  boolean,
  octetString,
} from '../../../src/pki/encode.js';
import { OID } from '../../../src/pki/oids.js';
import { DAY, HOUR, SCHEMES } from '../chains.js';
import { distributionPoints, generalNamesOf, issuingDistributionPoint } from '../extensions.js';
import { type CrlDraft, type Draft, type Story, type Variation } from './story.js';

const fits = ({ world, authorities }: Story): boolean =>
  world.withCrls && authorities.length > 0 && authorities.every(({ crls }) => crls.length > 0);
const isDeep = (story: Story): boolean => fits(story) && story.drafts.length >= 3;

/** A fault in the one CRL of any of the CAs. */
const inOne = (name: string, change: (crl: CrlDraft, story: Story, ca: Draft) => void): Variation => ({
  name,
  fits,
  apply: (story) => {
    const ca = story.random.pick(story.authorities);
    change(ca.crls[0]!, story, ca);
  },
});

const revoked = (name: string, of: 'leaf' | 'CA', reason?: CrlDraft['revoked'][number]['reason']): Variation => ({
  name,
  fits: of === 'CA' ? isDeep : fits,
  apply: (story) => {
    const draft = of === 'leaf' ? story.leaf : story.random.pick(story.middle);
    story.above(draft).crls[0]!.revoked.push({ draft, ...(reason === undefined ? {} : { reason }) });
  },
});

/** Entries that are about nobody, with an extension. */
const entry = (extensions: Node): Buffer =>
  element(TAG.sequence, [toDer(sequence(integer(Buffer.alloc(9, 0x11)), time(new Date('1998-06-01T00:00:00Z')), sequence(extensions)))]);

/** In place of what was there: the same twice is a CRL that nobody reads. */
const more = (crl: CrlDraft, ...nodes: readonly Node[]): void => {
  crl.recipe.more = nodes;
};

const WHERE = { uri: ['http://crl.shop.test/a'] } as const;

/** What can be wrong with CRLs. */
export const CRL_FAULTS: readonly Variation[] = [
  {
    name: 'CRL missing',
    fits,
    apply: ({ random, authorities }) => (random.pick(authorities).crls = []),
  },
  {
    name: 'all CRLs missing',
    fits,
    apply: ({ authorities }) => {
      for (const draft of authorities) draft.crls = [];
    },
  },
  inOne('CRL expired', ({ recipe }, { world }) => {
    [recipe.thisUpdate, recipe.nextUpdate] = [new Date(world.at.getTime() - 2 * DAY), new Date(world.at.getTime() - HOUR)];
  }),
  inOne('CRL of the future', ({ recipe }, { world }) => {
    [recipe.thisUpdate, recipe.nextUpdate] = [new Date(world.at.getTime() + HOUR), new Date(world.at.getTime() + DAY)];
  }),
  inOne('CRL with a wrong bit in its signature', (crl) => {
    crl.damage = (der) => {
      const copy = Buffer.from(der);
      copy[copy.length - 1]! ^= 1;
      return copy;
    };
  }),
  inOne('CRL signed by another key', (crl, story) => (crl.recipe.signedBy = story.draft('signer', true).key)),
  inOne('CRL of another issuer', (crl, story) => (crl.by = story.draft('other issuer', true))),
  {
    name: 'CRL of another CA of that name',
    fits,
    apply: (story) => {
      const ca = story.random.pick(story.authorities);
      const other = story.draft('other', true);
      other.attributes = [...ca.attributes];
      ca.crls[0]!.by = other;
    },
  },
  inOne('CA without cRLSign', (_, __, ca) => (ca.recipe.keyUsage = ['keyCertSign'])),
  revoked('leaf revoked', 'leaf', 'keyCompromise'),
  revoked('leaf revoked without a reason', 'leaf'),
  revoked('leaf on hold', 'leaf', 'certificateHold'),
  revoked('leaf removed from the CRL', 'leaf', 'removeFromCRL'),
  revoked('leaf revoked for a reason that nobody knows', 'leaf', 42),
  revoked('CA revoked', 'CA', 'cACompromise'),
  {
    name: 'root revoked by itself',
    fits,
    apply: ({ root }) => root.crls[0]!.revoked.push({ draft: root, reason: 'cACompromise' }),
  },
  {
    name: 'leaf revoked by an expired CRL beside a silent one',
    fits,
    apply: (story) => {
      const stale = story.crl();
      stale.recipe.thisUpdate = new Date(story.world.at.getTime() - 2 * DAY);
      stale.recipe.nextUpdate = new Date(story.world.at.getTime() - DAY);
      stale.revoked.push({ draft: story.leaf, reason: 'keyCompromise' });
      story.above(story.leaf).crls.push(stale);
    },
  },
  {
    name: 'leaf revoked by the elder of two CRLs in force',
    fits,
    apply: (story) => {
      const elder = story.crl();
      elder.recipe.thisUpdate = new Date(story.world.at.getTime() - 2 * HOUR);
      elder.revoked.push({ draft: story.leaf, reason: 'keyCompromise' });
      story.above(story.leaf).crls.push(elder);
    },
  },
  {
    name: 'leaf revoked by the younger of two CRLs in force',
    fits,
    apply: (story) => {
      const younger = story.crl();
      younger.recipe.thisUpdate = new Date(story.world.at.getTime() - HOUR / 2);
      younger.revoked.push({ draft: story.leaf, reason: 'keyCompromise' });
      story.above(story.leaf).crls.push(younger);
    },
  },
  inOne('CRL with an unknown critical extension', (crl) => more(crl, extension('1.3.6.1.4.1.99999.8', true, nothing()))),
  inOne(
    'CRL with an unknown critical extension of an entry',
    ({ recipe }) => (recipe.list = entry(extension('1.3.6.1.4.1.99999.8', true, nothing()))),
  ),
  inOne('CRL with a certificate issuer in an entry', ({ recipe }) => {
    const names = sequence(...generalNamesOf({ directory: [[[OID.commonName, 'somebody else']]] }));
    recipe.list = entry(sequence(oid(OID.certificateIssuer), boolean(true), octetString(toDer(names))));
  }),
  inOne('CRL with an odd reason in another entry', ({ recipe }) => (recipe.list = entry(extension(OID.reasonCode, false, enumerated(7))))),
  inOne('CRL with SHA-1', (crl, _, ca) => {
    const type = ca.key.asymmetricKeyType;
    if (type !== 'ed25519') crl.recipe.scheme = type === 'rsa' ? SCHEMES.rsaSha1 : SCHEMES.ecdsaSha1;
  }),
  inOne('CRL with another algorithm inside', (crl, _, ca) => {
    crl.recipe.innerScheme = ca.key.asymmetricKeyType === 'ed25519' ? SCHEMES.ecdsaSha256 : SCHEMES.ed25519;
  }),
  inOne('CRL for CAs only', (crl) => more(crl, issuingDistributionPoint({ flags: [2] }))),
  inOne('CRL for users only', (crl) => more(crl, issuingDistributionPoint({ flags: [1] }))),
  inOne('CRL for attribute certificates only', (crl) => more(crl, issuingDistributionPoint({ flags: [5] }))),
  inOne('CRL for some reasons only', (crl) => more(crl, issuingDistributionPoint({ reasons: [1, 2] }))),
  inOne('indirect CRL', (crl) => more(crl, issuingDistributionPoint({ flags: [4] }))),
  inOne('CRL of a distribution point that nobody names', (crl) => more(crl, issuingDistributionPoint({ names: WHERE }))),
  {
    name: 'CRL of the distribution point that is named',
    fits,
    apply: (story) => {
      const above = story.above(story.leaf);
      if (story.authorities.indexOf(above) === 0) above.crls.push(story.crl());
      more(above.crls[0]!, issuingDistributionPoint({ names: WHERE, flags: [1] }));
      story.leaf.more.push(distributionPoints({ names: WHERE }));
    },
  },
  {
    name: 'CRL of another distribution point than the one that is named',
    fits,
    apply: (story) => {
      more(story.above(story.leaf).crls[0]!, issuingDistributionPoint({ names: WHERE, flags: [1] }));
      story.leaf.more.push(distributionPoints({ names: { uri: ['http://crl.shop.test/b'] } }));
    },
  },
  inOne('delta CRL alone', (crl) => more(crl, extension(OID.deltaCrlIndicator, true, integer(1)))),
  {
    name: 'delta CRL beside the complete one',
    fits,
    apply: (story) => {
      const delta = story.crl();
      more(delta, extension(OID.deltaCrlIndicator, true, integer(1)));
      story.random.pick(story.authorities).crls.push(delta);
    },
  },
  {
    name: 'leaf revoked by a delta CRL',
    fits,
    apply: (story) => {
      const delta = story.crl();
      more(delta, extension(OID.deltaCrlIndicator, true, integer(1)));
      delta.revoked.push({ draft: story.leaf, reason: 'keyCompromise' });
      story.above(story.leaf).crls.push(delta);
    },
  },
  inOne('CRL with a distribution point that is empty', (crl) =>
    more(crl, extension(OID.issuingDistributionPoint, true, embed(element(TAG.sequence, [])))),
  ),
];
