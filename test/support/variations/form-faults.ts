import { generateKeyPairSync } from 'node:crypto';
import { TAG } from '../../../src/pki/der.js';
import {
  type Node,
  element,
  embed,
  extension,
  implicit,
  integer,
  octetString,
  oid,
  boolean,
  bitString,
  nothing,
  sequence,
  time,
  toDer,
} from '../../../src/pki/encode.js';
import { publicKeyInfo } from '../../../src/pki/key.js';
import { OID } from '../../../src/pki/oids.js';
import { DAY } from '../chains.js';
import { type Draft, type Story, type Variation } from './story.js';

const hasIssuer = ({ drafts }: Story): boolean => drafts.length >= 2;

/** An extension with octets that may be nothing at all. */
const octets = (dotted: string, hex: string, critical = false): Node =>
  sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(Buffer.from(hex, 'hex')));

/** A fault in the form of a leaf, or of a CA. */
function odd(what: string, change: (draft: Draft, story: Story) => void, levels = ['leaf', 'CA']): Variation[] {
  const all: Variation[] = [
    { name: `leaf: ${what}`, fits: hasIssuer, apply: (story) => change(story.leaf, story) },
    { name: `CA: ${what}`, fits: ({ drafts }) => drafts.length >= 3, apply: (story) => change(story.random.pick(story.middle), story) },
  ];
  return all.filter(({ name }) => levels.includes(name.slice(0, name.indexOf(':'))));
}

const also = ({ more }: Draft, ...nodes: readonly Node[]): void => void more.push(...nodes);

const text = (tag: number, ascii: string): Node => embed(element(tag, [Buffer.from(ascii)]));
const stamp = (date: Date): string => date.toISOString().replace(/[-:T]|\.\d{3}/g, '');

/** The validity of a certificate with another spelling of its beginning. */
const begins =
  (spell: (date: Date) => Node) =>
  (draft: Draft, { world }: Story) => {
    const [from, until] = [new Date(world.at.getTime() - DAY), new Date(world.at.getTime() + DAY)];
    draft.recipe.validity = sequence(spell(from), time(until));
  };

/** In place of the key usage, or of the basic constraints, that a certificate has. */
const keyUsage = (hex: string) => (draft: Draft) => {
  draft.recipe.keyUsage = null;
  also(draft, octets(OID.keyUsage, hex, true));
};
const basicConstraints = (hex: string) => (draft: Draft) => {
  // what the recipe leaves to be understood
  if (draft.recipe.keyUsage === undefined)
    draft.recipe.keyUsage = draft.recipe.ca === true ? ['keyCertSign', 'cRLSign'] : ['digitalSignature'];
  draft.recipe.ca = null;
  also(draft, octets(OID.basicConstraints, hex, true));
};

const rsaKeyInfo = (exponent: number): Buffer => {
  const modulus = Buffer.alloc(256, 0xc5);
  const key = toDer(sequence(integer(modulus), integer(exponent)));
  return toDer(sequence(sequence(oid(OID.rsaEncryption), nothing()), bitString(key)));
};

/** A point that is on no curve. */
const noPoint = toDer(
  sequence(sequence(oid(OID.ecPublicKey), oid('1.2.840.10045.3.1.7')), bitString(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]))),
);

/** What is no DER, or no certificate as RFC 5280 §4.1 and §4.2 have it. */
export const FORM_FAULTS: readonly Variation[] = [
  ...odd('unknown extension twice', (draft) => also(draft, octets('1.3.6.1.4.1.99999.6', '0500'), octets('1.3.6.1.4.1.99999.6', '0500'))),
  ...odd('key usage twice', (draft) => also(draft, octets(OID.keyUsage, '0303070680', true))),
  ...odd('basic constraints twice', (draft) =>
    also(draft, octets(OID.basicConstraints, draft.recipe.ca === true ? '30030101ff' : '3000', true)),
  ),
  ...odd('negative serial number', (draft) => (draft.recipe.serial = embed(Buffer.from('0202ff01', 'hex')))),
  ...odd('serial number zero', (draft) => (draft.recipe.serial = integer(0))),
  ...odd('serial number of 21 octets', (draft) => (draft.recipe.serial = integer(Buffer.alloc(21, 0x55)))),
  ...odd(
    'UTCTime without seconds',
    begins((date) => text(TAG.utcTime, `${stamp(date).slice(2, 12)}Z`)),
  ),
  ...odd(
    'UTCTime with an offset',
    begins((date) => text(TAG.utcTime, `${stamp(date).slice(2, 14)}+0000`)),
  ),
  ...odd(
    'GeneralizedTime with a fraction',
    begins((date) => text(TAG.generalizedTime, `${stamp(date).slice(0, 14)}.5Z`)),
  ),
  ...odd(
    'GeneralizedTime without Z',
    begins((date) => text(TAG.generalizedTime, stamp(date).slice(0, 14))),
  ),
  ...odd(
    'GeneralizedTime of 1998',
    begins(() => text(TAG.generalizedTime, '19980101000000Z')),
  ),
  ...odd(
    'time of no month',
    begins(() => text(TAG.utcTime, '981301000000Z')),
  ),
  ...odd('FALSE written out', (draft) =>
    also(draft, sequence(oid('1.3.6.1.4.1.99999.6'), boolean(false), octetString(Buffer.from('0500', 'hex')))),
  ),
  ...odd('TRUE as 01', (draft) =>
    also(draft, sequence(oid('1.3.6.1.4.1.99999.6'), embed(Buffer.from('010101', 'hex')), octetString(Buffer.from('0500', 'hex')))),
  ),
  ...odd('key usage with no bits', keyUsage('030100')),
  ...odd('key usage that is no BIT STRING', keyUsage('0401ff')),
  ...odd('key usage with bytes behind it', keyUsage('0302010600')),
  ...odd('key usage with bits set that are not used', keyUsage('03020786')),
  ...odd('basic constraints with bytes behind them', basicConstraints('30030101ff00'), ['CA']),
  ...odd('basic constraints with FALSE written out', basicConstraints('3003010100'), ['leaf']),
  ...odd('basic constraints with TRUE as 01', basicConstraints('3003010101'), ['CA']),
  ...odd('negative path length', basicConstraints('30060101ff0201ff'), ['CA']),
  ...odd('empty extended key usage', (draft) => {
    draft.recipe.purposes = undefined;
    also(draft, octets(OID.extendedKeyUsage, '3000'));
  }),
  ...odd('empty SAN', (draft) => {
    draft.names = undefined;
    also(draft, octets(OID.subjectAltName, '3000'));
  }),
  ...odd('SAN that is no SEQUENCE', (draft) => {
    draft.names = undefined;
    also(draft, octets(OID.subjectAltName, '0500'));
  }),
  ...odd('SAN in BER', (draft) => {
    draft.names = undefined;
    also(draft, octets(OID.subjectAltName, '3080820378797a0000'));
  }),
  ...odd(
    'critical subject key identifier',
    (draft) => {
      draft.recipe.withoutKeyIds = true;
      also(draft, extension(OID.subjectKeyIdentifier, true, octetString(Buffer.from('01', 'hex'))));
    },
    ['leaf'],
  ),
  ...odd('critical authority key identifier', (draft) => {
    draft.recipe.withoutKeyIds = true;
    also(draft, extension(OID.authorityKeyIdentifier, true, sequence()));
  }),
  ...odd('critical authority information access', (draft) =>
    also(draft, octets(OID.authorityInfoAccess, '3011300f06082b060105050730018603783a79', true)),
  ),
  ...odd('malformed authority key identifier', (draft) => {
    draft.recipe.withoutKeyIds = true;
    also(draft, octets(OID.authorityKeyIdentifier, '0401ff'));
  }),
  ...odd('malformed distribution points', (draft) => also(draft, octets(OID.crlDistributionPoints, '3000'))),
  ...odd('malformed policies', (draft) => {
    draft.policies = undefined;
    also(draft, octets(OID.certificatePolicies, '3000'));
  }),
  ...odd('bytes behind the certificate', (draft) => (draft.damage = (der) => Buffer.concat([der, Buffer.from([0, 0])]))),
  ...odd('cut off', (draft) => (draft.damage = (der) => der.subarray(0, -1)), ['leaf']),
  ...odd('RSA with exponent 1', (draft) => (draft.recipe.publicKey = rsaKeyInfo(1)), ['leaf']),
  ...odd('RSA with an even exponent', (draft) => (draft.recipe.publicKey = rsaKeyInfo(4)), ['leaf']),
  ...odd('a key that is no point of its curve', (draft) => (draft.recipe.publicKey = noPoint), ['leaf']),
  ...odd('a key of X25519', (draft) => (draft.recipe.publicKey = publicKeyInfo(generateKeyPairSync('x25519').publicKey).der), ['leaf']),
  ...odd('a key of Ed448', (draft) => (draft.recipe.publicKey = publicKeyInfo(generateKeyPairSync('ed448').publicKey).der), ['leaf']),
  ...odd('a registered identifier in the issuer alternative name', (draft) =>
    also(draft, extension(OID.issuerAltName, false, sequence(implicit(8, Buffer.from('2a03', 'hex'))))),
  ),
];
