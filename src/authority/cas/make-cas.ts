import type { KeyObject } from 'node:crypto';
import { toHex } from '../../base/bytes.js';
import { MtlsError } from '../../errors.js';
import { type Certificate, isSelfSigned } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { type KeyType, generateKey, isKeyOf, keyIdentifier, publicKeyInfo } from '../../pki/key.js';
import { labelOf } from '../../pki/name.js';
import type { WritableConstraints } from '../../pki/name-constraints-write.js';
import { OID } from '../../pki/oids.js';
import { type CertificateTemplate, type Signer, signCertificate } from '../../pki/sign.js';
import { crlFault, isCrlOf } from '../../validate/crl-faults.js';
import { verify } from '../../validate/verify.js';
import { BACKDATE } from '../issue/issue.js';

/** A CA that is about to be one of the workspace. */
export interface NewCa {
  readonly stem: 'root' | 'issuing';
  readonly certificate: Certificate;
  /** Left out where it is somebody else's. */
  readonly key?: KeyObject;
  /** Somebody else's CRL. */
  readonly crl?: Crl;
}

/** The CAs of a new workspace: what signs comes last. */
export interface NewCas {
  readonly cas: readonly NewCa[];
  /** Between the root and the issuing CA. */
  readonly between: readonly Certificate[];
  /** Of these. */
  readonly betweenCrls?: readonly Crl[];
}

/** What a workspace's own CAs are to be. */
export interface CaOptions {
  readonly trustDomain: string;
  readonly keyType: KeyType;
  /** Milliseconds, of the root. */
  readonly validity: number;
  /** A second CA below the root signs the services, so that the root's key can be kept elsewhere. */
  readonly issuingCa: boolean;
  readonly constraints?: WritableConstraints;
}

/** Makes a root, and an issuing CA below it where one is wanted. */
export function makeCas(options: CaOptions, now: Date): NewCas {
  const root = makeRoot(options, now);
  if (!options.issuingCa) return { cas: [{ stem: 'root', ...root }], between: [] };
  const issuing = makeIssuing(options, root, now);
  return {
    cas: [
      { stem: 'root', ...root },
      { stem: 'issuing', ...issuing },
    ],
    between: [],
  };
}

/** A root that signs services (path length 0), or one CA below it that does (1). */
function makeRoot({ trustDomain, keyType, validity, issuingCa, constraints }: CaOptions, now: Date): Signer {
  const key = generateKey(keyType);
  const template: CertificateTemplate = {
    ...caTemplate(key, trustDomain, 'root', issuingCa ? 1 : 0, constraints),
    notBefore: new Date(now.getTime() - BACKDATE),
    notAfter: new Date(now.getTime() + validity),
  };
  return { certificate: signCertificate(template, { key }), key };
}

/** A CA that signs services, under `root`: with a key of its own, until the root ends. */
function makeIssuing({ trustDomain, keyType, constraints }: Omit<CaOptions, 'validity' | 'issuingCa'>, root: Signer, now: Date): Signer {
  const key = generateKey(keyType);
  const template: CertificateTemplate = {
    ...caTemplate(key, trustDomain, 'issuing', 0, constraints),
    notBefore: new Date(Math.max(now.getTime() - BACKDATE, root.certificate.notBefore)),
    notAfter: new Date(root.certificate.notAfter),
  };
  return { certificate: signCertificate(template, root), key };
}

function caTemplate(key: KeyObject, trustDomain: string, role: string, pathLength: number, constraints: WritableConstraints | undefined) {
  const publicKey = publicKeyInfo(key);
  return {
    subject: caSubject(trustDomain, role, publicKey),
    publicKey,
    ca: { pathLength },
    keyUsage: ['keyCertSign', 'cRLSign'] as const,
    ...(constraints === undefined ? {} : { nameConstraints: constraints }),
  };
}

/** With the key id in the name: two CAs made on one day are told apart by people and by OpenSSL. */
export const caSubject = (trustDomain: string, role: string, publicKey: ReturnType<typeof publicKeyInfo>) =>
  [
    // at most 64 (RFC 5280 §A.1, ub-organization-name)
    [OID.organizationName, trustDomain.slice(0, 64)],
    [OID.commonName, `mtls ${role} CA ${toHex(keyIdentifier(publicKey)).slice(0, 8)}`],
  ] as const;

/** A CA that is there already, as it was given. `path` is for errors. */
export interface GivenCa {
  readonly path: string;
  readonly certificate: Certificate;
  readonly key: KeyObject;
  /** From it up to its root, which may be among them; nothing where it is one itself. */
  readonly chain: readonly Certificate[];
  /** Of the CAs above it. */
  readonly crls: readonly Crl[];
}

/**
 * A CA taken over, checked before it is believed: that the key is its own, that it may sign certificates and CRLs, and that
 * its path to its root holds now. Throws KEY_MISMATCH, CA_NOT_FIT with every reason.
 */
export function takeCas({ path, certificate, key, chain, crls }: GivenCa, keyPath: string, now: Date): NewCas {
  if (!isKeyOf(key, certificate.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate: path, key: keyPath });
  const problems = unfit(certificate, now);
  if (isSelfSigned(certificate)) {
    if (problems.length > 0) throw new MtlsError('CA_NOT_FIT', { path, problems });
    return { cas: [{ stem: 'root', certificate, key }], between: [] };
  }
  const roots = chain.filter(isSelfSigned);
  if (roots.length === 0) problems.push(`its root is not among what was given: the issuer is ${labelOf(certificate.issuer)}`);
  const { valid, errors, path: found } = verify({ leaf: certificate, intermediates: chain, roots, crls, softRevocation: true, at: now });
  if (roots.length > 0 && !valid) problems.push(...errors.map(({ message }) => message));
  if (valid) problems.push(...tooDeep(found), ...crls.flatMap((each) => crlProblem(each, found.slice(1), now) ?? []));
  if (problems.length > 0) throw new MtlsError('CA_NOT_FIT', { path, problems });
  const root = found.at(-1)!;
  const between = found.slice(1, -1);
  const crl = crls.find((each) => isCrlOf(each, root));
  return {
    cas: [
      { stem: 'root', certificate: root, ...(crl === undefined ? {} : { crl }) },
      { stem: 'issuing', certificate, key },
    ],
    between,
    betweenCrls: between.flatMap((ca) => crls.find((each) => isCrlOf(each, ca)) ?? []),
  };
}

/** Why a CRL that was given is of no use; one of a CA elsewhere is no mistake to be passed over. */
function crlProblem(crl: Crl, above: readonly Certificate[], now: Date): string | undefined {
  const of = `the CRL of ${labelOf(crl.issuer)}`;
  const ca = above.find((each) => isCrlOf(crl, each));
  if (ca === undefined) return `${of} is of no CA above it`;
  const fault = crlFault(crl, ca, { at: now });
  return fault === undefined ? undefined : `${of}: ${fault.message}`;
}

/** CAs of a path, the issuing one first, that allow none so far below them: the services are one further down (RFC 5280 §4.2.1.9). */
const tooDeep = (path: readonly Certificate[]): string[] =>
  path.flatMap(({ subject, basicConstraints }, i) => {
    const allowed = basicConstraints?.pathLength;
    if (allowed === undefined || allowed >= i) return [];
    return [`${labelOf(subject)} allows ${allowed === 0 ? 'no CA' : `${allowed} CAs`} below it, and here would be ${i}`];
  });

/** Why a certificate cannot be that of the CA that signs services. */
function unfit(certificate: Certificate, now: Date): string[] {
  const { basicConstraints, keyUsage, notBefore, notAfter } = certificate;
  const problems: string[] = [];
  if (basicConstraints?.ca !== true) problems.push('it is no CA: basic constraints do not say so');
  for (const usage of ['keyCertSign', 'cRLSign'] as const)
    if (keyUsage !== undefined && !keyUsage.includes(usage)) problems.push(`its key usage lacks ${usage}`);
  if (now.getTime() < notBefore) problems.push(`it begins ${new Date(notBefore).toISOString()}`);
  if (now.getTime() > notAfter) problems.push(`it ended ${new Date(notAfter).toISOString()}`);
  return problems;
}
