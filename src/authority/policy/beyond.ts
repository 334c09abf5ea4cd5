import { MtlsError, shellWord } from '../../errors.js';
import type { Csr } from '../../pki/csr.js';
import { DerReader, contextConstructed } from '../../pki/der.js';
import type { SubjectNames } from '../../pki/encode.js';
import { type Extension, type KeyUsage, decodeCertificateExtensions } from '../../pki/extensions.js';
import type { GeneralNames } from '../../pki/general-name.js';
import { type Name, formatName, printable } from '../../pki/name.js';
import { OID, oidName } from '../../pki/oids.js';

/** What a certificate will say of whoever asked for it. Purposes and types of attributes are object identifiers. */
export interface Granted {
  readonly subject: readonly (readonly [type: string, value: string])[];
  readonly names: SubjectNames;
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage: readonly string[];
}

/** Something that a request asks for; `flag` is what would grant it on the command line, where something would. */
export interface Asked {
  readonly what: string;
  readonly flag?: string;
}

/**
 * All that a certification request asks for and the certificate will not have; nothing when all of it is granted. Whatever
 * is not understood is among it. The identifier of its key may be asked for and is given as this CA makes it (RFC 5280
 * §4.2.1.2). Throws DER_MALFORMED for attributes that are none.
 */
export function askedBeyond(csr: Csr, granted: Granted): Asked[] {
  return [
    ...subjectBeyond(csr.subject, granted),
    ...namesBeyond(csr.subjectAltName, granted.names),
    ...extensionsBeyond(csr.extensions, granted),
    ...attributesBeyond(csr),
  ];
}

/** Throws CSR_ASKS_BEYOND with all that `askedBeyond` finds; `path` is the request's. */
export function assertAsksNoMore(path: string, csr: Csr, granted: Granted): void {
  const beyond = askedBeyond(csr, granted);
  if (beyond.length === 0) return;
  const flags = beyond.flatMap(({ flag }) => flag ?? []);
  throw new MtlsError('CSR_ASKS_BEYOND', { path, asked: beyond.map(({ what }) => what), flags });
}

/** Compared without case (RFC 5280 §7.1). An attribute that is no string is never one of ours. */
function subjectBeyond(subject: Name, { subject: granted }: Granted): Asked[] {
  const known = new Set(granted.map(([type, value]) => `${type}=${value.toLowerCase()}`));
  return subject.attributes
    .filter(({ type, value }) => !known.has(`${type}=${value.toLowerCase()}`))
    .map((attribute) => ({ what: `subject ${formatName({ ...subject, attributes: [attribute] })}` }));
}

function namesBeyond(asked: GeneralNames, granted: SubjectNames): Asked[] {
  const flagged = (['dns', 'ip', 'uri'] as const).flatMap((kind) =>
    asked[kind]
      .filter((name) => !granted[kind].includes(name) && !(kind === 'dns' && granted.dns.includes(name.toLowerCase())))
      // a name is somebody's who may want more to be pasted than a name
      .map((name) => ({ what: printable(name), ...(/^[!-~]+$/.test(name) ? { flag: `--${kind} ${shellWord(name)}` } : {}) })),
  );
  return [
    ...flagged,
    ...asked.email.map((mailbox) => ({ what: `mailbox ${printable(mailbox)}` })),
    ...asked.directory.map((name) => ({ what: `directory name ${formatName(name)}` })),
    ...asked.otherName.map(({ type }) => ({ what: `a name of the form ${oidName(type)}` })),
    ...asked.other.filter((tag) => tag !== 0).map((tag) => ({ what: `a name of kind [${tag}]` })),
  ];
}

/** What is looked at by its values, or granted in any case. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...[OID.subjectAltName, OID.keyUsage, OID.extendedKeyUsage, OID.basicConstraints, OID.subjectKeyIdentifier],
]);

function extensionsBeyond(extensions: readonly Extension[], granted: Granted): Asked[] {
  const { basicConstraints, keyUsage = [], extendedKeyUsage = [] } = decodeCertificateExtensions(extensions);
  return [
    ...(basicConstraints?.ca === true ? [{ what: 'to be a CA' }] : []),
    ...(basicConstraints?.pathLength === undefined ? [] : [{ what: `a path length of ${basicConstraints.pathLength}` }]),
    ...keyUsage.filter((usage) => !granted.keyUsage.includes(usage)).map((usage) => ({ what: `key usage ${usage}` })),
    ...extendedKeyUsage
      .filter((purpose) => !granted.extendedKeyUsage.includes(purpose))
      .map((purpose) => ({ what: `extended key usage ${oidName(purpose)}` })),
    ...extensions.filter(({ oid }) => !UNDERSTOOD.has(oid)).map(({ oid }) => ({ what: `extension ${oidName(oid)}` })),
  ];
}

/**
 * Attributes that ask for nothing in a certificate: a password and a name for the CA's own use (RFC 2985 §5.4), and what
 * Windows says of itself (MS-WCCE §2.2.2.7: version, client, provider of the key). The extensions are read above.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  ...[OID.extensionRequest, '1.2.840.113549.1.9.7', '1.2.840.113549.1.9.2'],
  ...['1.3.6.1.4.1.311.13.2.3', '1.3.6.1.4.1.311.21.20', '1.3.6.1.4.1.311.13.2.2'],
]);

/** `CertificationRequestInfo ::= SEQUENCE { version, subject, subjectPKInfo, [0] attributes }` (RFC 2986 §4.1); the request was read strictly already. */
function attributesBeyond({ tbs }: Csr): Asked[] {
  const info = DerReader.within(tbs);
  for (let i = 0; i < 3; i++) info.element();
  const attributes = info.enterOptional(contextConstructed(0));
  const beyond: Asked[] = [];
  while (attributes !== undefined && !attributes.atEnd) {
    const type = attributes.enter().oid();
    if (!HARMLESS.has(type)) beyond.push({ what: `attribute ${oidName(type)}` });
  }
  return beyond;
}
