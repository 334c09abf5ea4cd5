import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { assertPrivate } from '../../base/files.js';
import { isError } from '../../errors.js';
import { type Certificate, namesIssuer } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { isKeyOf } from '../../pki/key.js';
import { labelOf } from '../../pki/name.js';
import { crlFault, isCrlOf } from '../crl-faults.js';
import type { Purpose } from '../request.js';
import { checkAuthority } from '../rules/authority.js';
import { checkDates } from '../rules/dates.js';
import { checkExtendedKeyUsage } from '../rules/purpose.js';
import { signatureOf } from '../signatures.js';
import { Work } from '../work.js';
import { type DeploymentFinding, error, reading, warning } from './findings.js';
import type { Material } from './material.js';
import type { Place } from './tree.js';

/** A service as it is deployed: who it is, whom it trusts, and what is wrong with its files. */
export interface Service {
  readonly name: string;
  readonly directory: string;
  /** Where it has what from; `shared`: from a directory above, or the workspace. */
  readonly files: {
    readonly certificate: string;
    readonly key: string;
    readonly chain: string | null;
    readonly bundle: string | null;
    readonly crls: readonly string[];
    readonly shared: { readonly bundle: boolean; readonly crls: boolean };
  };
  /** The certificate and what is sent with it; empty when that cannot be read. */
  readonly chain: readonly Certificate[];
  readonly bundle: readonly Certificate[];
  readonly crls: readonly Crl[];
  /** false: there are CRLs that could not be read, so that nobody's certificate is known not to be revoked. */
  readonly hasAllCrls: boolean;
  /** What its certificate is for, by its extended key usage; both when it does not say or cannot be read. */
  readonly roles: readonly Purpose[];
  readonly findings: readonly DeploymentFinding[];
  /** Why it can be neither client nor server. */
  readonly unable: DeploymentFinding | undefined;
  /** Why it trusts nobody. */
  readonly distrusts: DeploymentFinding | undefined;
}

const ROLES: readonly Purpose[] = ['server', 'client'];

/** Reads the files of a service, and what is wrong with each of them at that time; whether its chain is good is for `examine`. */
export function readService(place: Place, material: Material, at: Date): Service {
  const files = filesOf(place);
  const read: Reading = { files, material, at };
  const own = readOwn(read);
  const trusted = readBundle(read);
  const lists = readCrls(read, trusted.bundle.length === 0 ? [] : [...trusted.bundle, ...own.chain]);
  return {
    ...{ name: place.name, directory: place.directory, files },
    ...{ chain: own.chain, bundle: trusted.bundle, ...lists },
    roles: own.chain[0] === undefined ? ROLES : rolesOf(own.chain[0]),
    findings: [...own.findings, ...trusted.findings, ...lists.findings],
    unable: own.unable,
    distrusts: trusted.bundle.length === 0 ? trusted.findings[0] : undefined,
  };
}

interface Reading {
  readonly files: Service['files'];
  readonly material: Material;
  readonly at: Date;
}

function filesOf({ directory, layout, bundle, crls }: Place): Service['files'] {
  return {
    certificate: join(directory, layout.certificate),
    key: join(directory, layout.key),
    chain: layout.chain === undefined ? null : join(directory, layout.chain),
    bundle: bundle?.path ?? null,
    crls: crls.map(({ path }) => path),
    shared: { bundle: bundle?.shared === true, crls: crls[0]?.shared === true },
  };
}

function readOwn({ files, material }: Reading) {
  const findings: DeploymentFinding[] = [];
  const sent = reading(files.certificate, findings, () => material.certificates(files.certificate)) ?? [];
  const key = readKey(files.key, material, findings);
  const behind = sent.length === 1 && files.chain !== null ? files.chain : undefined;
  const chain = behind === undefined ? sent : [...sent, ...(reading(behind, findings, () => material.certificates(behind)) ?? [])];
  const leaf = chain[0];
  if (key !== undefined && leaf !== undefined && !isKeyOf(key, leaf.publicKey)) {
    const owner = chain.findIndex((certificate) => isKeyOf(key, certificate.publicKey));
    const which = owner < 0 ? `none in ${files.certificate}` : `the one at place ${owner + 1}, ${labelOf(chain[owner]!.subject)}`;
    findings.push(error('KEY_MISMATCH', `${files.key}: expected the key of ${labelOf(leaf.subject)}, found that of ${which}`, files.key));
  }
  const unable = findings.find(({ file, severity }) => severity === 'error' && (file === files.certificate || file === files.key));
  if (key !== undefined) reading(files.key, findings, () => assertPrivate(files.key));
  const disorder = orderFault(chain);
  if (disorder !== undefined) findings.push(warning('CHAIN_ORDER', disorder, files.certificate));
  return { chain, findings, unable };
}

/** Undefined when it cannot be read; one under a passphrase is fine for whoever has that, and stays closed here. */
function readKey(file: string, material: Material, findings: DeploymentFinding[]): KeyObject | undefined {
  return reading(file, findings, () => {
    try {
      return material.key(file);
    } catch (thrown) {
      if (!isError(thrown, 'KEY_ENCRYPTED')) throw thrown;
      findings.push(warning('KEY_ENCRYPTED', `${file} is under a passphrase: whose key it is was not looked at`, file));
      return undefined;
    }
  });
}

/** Each certificate certifies the one before it (RFC 5246 §7.4.2); RFC 8446 §4.4.2 asks peers to bear with others, and not all do. */
function orderFault(chain: readonly Certificate[]): string | undefined {
  const at = chain.findIndex((certificate, i) => i > 0 && !isIssuerOf(certificate, chain[i - 1]!));
  if (at < 0) return undefined;
  const [found, before] = [labelOf(chain[at]!.subject), chain[at - 1]!];
  return `place ${at + 1} of the chain: expected ${labelOf(before.issuer)}, the issuer of ${labelOf(before.subject)}, found ${found}`;
}

const isIssuerOf = (issuer: Certificate, certificate: Certificate): boolean =>
  namesIssuer(certificate, issuer) && signatureOf(certificate, issuer, new Work()) !== 'invalid';

function readBundle({ files, material, at }: Reading) {
  const findings: DeploymentFinding[] = [];
  const { bundle: file } = files;
  if (file === null) {
    const message = `no trusted CAs: expected ca.crt beside ${files.certificate} or in a directory above`;
    return { bundle: [], findings: [error('BUNDLE_NOT_FOUND', message, files.certificate)] };
  }
  const bundle = reading(file, findings, () => material.certificates(file)) ?? [];
  for (const ca of bundle) {
    for (const { code, message } of checkAuthority(ca, 0)) findings.push(error(code, `trusted as a CA: ${message}`, file));
    // what is trusted and out of date refuses nobody that another entry vouches for
    const dates = checkDates(ca, 0, { leaf: ca, intermediates: [], roots: [], crls: [], at });
    for (const { code, message } of dates) findings.push(warning(code, `trusted as a CA: ${message}`, file));
  }
  return { bundle, findings };
}

function readCrls({ files, material, at }: Reading, authorities: readonly Certificate[]) {
  const findings: DeploymentFinding[] = [];
  const read = files.crls.map((file) => ({ file, crls: reading(file, findings, () => material.crls(file)) }));
  const hasAllCrls = findings.length === 0;
  // whom they are of is asked only where somebody is trusted
  if (authorities.length === 0) return { crls: read.flatMap(({ crls = [] }) => crls), hasAllCrls, findings };
  const judged = read.flatMap(({ file, crls = [] }) => crls.map((crl) => ({ crl, finding: crlFinding({ crl, file, authorities, at }) })));
  // some may be of CAs that others send, and what is shared is for others too: as long as some of it is about the CAs of this one
  const foreign = judged.filter(({ finding }) => finding?.code === 'CRL_NOT_OF_CA');
  const isMixed = foreign.length < judged.length;
  findings.push(...judged.flatMap((one) => (one.finding === undefined || (isMixed && foreign.includes(one)) ? [] : [one.finding])));
  return { crls: judged.map(({ crl }) => crl), hasAllCrls, findings };
}

interface CrlQuestion {
  readonly crl: Crl;
  readonly file: string;
  readonly authorities: readonly Certificate[];
  readonly at: Date;
}

function crlFinding({ crl, file, authorities, at }: CrlQuestion): DeploymentFinding | undefined {
  const issuer = labelOf(crl.issuer);
  const signers = authorities.filter((ca) => isCrlOf(crl, ca));
  if (signers.length === 0) return error('CRL_NOT_OF_CA', `the CRL of ${issuer}: none of the trusted CAs has that name and key`, file);
  const faults = signers.map((signer) => crlFault(crl, signer, { at }));
  if (faults.includes(undefined)) return undefined;
  return error(faults[0]!.code, `the CRL of ${issuer}: ${faults[0]!.message}`, file);
}

/** A certificate without extended key usage is for everything (RFC 5280 §4.2.1.12). */
const rolesOf = (leaf: Certificate): readonly Purpose[] => ROLES.filter((purpose) => checkExtendedKeyUsage(leaf, 0, purpose).length === 0);
