import { isError } from '../errors.js';
import { type Certificate, isSelfSigned, isSignedBy } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { formatName, labelOf, valuesOf } from '../pki/name.js';
import { type OcspResponse, readOcspResponse } from '../pki/ocsp.js';
import { OID } from '../pki/oids.js';
import { type NameQuery, describeNames, matchesName } from '../validate/names.js';
import { verify } from '../validate/verify.js';
import {
  type Fault,
  type Sent,
  type Translation,
  expiredEvidence,
  fact,
  looksIntermediate,
  readChain,
  readable,
  translate,
} from './examine.js';
import type { AuthorityName } from './messages.js';

/** What the server's certificates show, by our own rules. */
export interface ServerExamination {
  readonly chain: readonly Sent[];
  readonly leaf: Certificate | undefined;
  /** `unchecked` when no CA was given to check with. */
  readonly trust: 'trusted' | 'refused' | 'unchecked';
  /** Worst first. */
  readonly faults: readonly Fault[];
  /** Worth saying, and no fault. */
  readonly remarks: readonly string[];
}

interface ServerQuestion {
  readonly authorities: readonly Certificate[] | undefined;
  readonly crls: readonly Crl[];
  /** The OCSP response that came with the certificate. */
  readonly staple?: Buffer | undefined;
  readonly name: NameQuery;
  readonly at: Date;
  /** The CAs that the server names to its clients: a hint at whose PKI it is in. */
  readonly listed: readonly AuthorityName[];
  /** Certificates from elsewhere that might be the missing one. */
  readonly relatives: readonly Certificate[];
}

const SERVER_FAULTS: Translation = {
  EXTENDED_KEY_USAGE: { leaf: 'SERVER_CERT_WRONG_EKU', above: 'SERVER_CERT_WRONG_EKU' },
  CERT_REVOKED: { leaf: 'SERVER_CERT_REVOKED', above: 'SERVER_CERT_REVOKED' },
  NOT_A_CA: { leaf: 'SERVER_ISSUER_NOT_CA', above: 'SERVER_ISSUER_NOT_CA' },
  KEY_CERT_SIGN_MISSING: { leaf: 'SERVER_ISSUER_NOT_CA', above: 'SERVER_ISSUER_NOT_CA' },
  PATH_LENGTH_EXCEEDED: { leaf: 'SERVER_PATHLEN_EXCEEDED', above: 'SERVER_PATHLEN_EXCEEDED' },
  SIGNATURE_INVALID: { leaf: 'SERVER_CA_KEY_MISMATCH', above: 'SERVER_CA_KEY_MISMATCH' },
  SIGNATURE_UNSUPPORTED: { leaf: 'SERVER_CERT_UNTRUSTED', above: 'SERVER_CERT_UNTRUSTED' },
  ALGORITHM_MISMATCH: { leaf: 'SERVER_CERT_UNTRUSTED', above: 'SERVER_CERT_UNTRUSTED' },
  WEAK_KEY: { leaf: 'SERVER_CERT_WEAK_KEY', above: 'SERVER_CERT_WEAK_KEY' },
  WEAK_SIGNATURE: { leaf: 'SERVER_CERT_WEAK_SIGNATURE', above: 'SERVER_CERT_WEAK_SIGNATURE' },
  CRL_NOT_FOUND: { leaf: 'CRL_MISSING', above: 'CRL_MISSING' },
  CRL_EXPIRED: { leaf: 'CRL_EXPIRED', above: 'CRL_EXPIRED' },
};

/** Found by `verify` and told by us, who know more about why. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'NAME_MISMATCH',
  'ISSUER_NOT_FOUND',
  'SELF_SIGNED_UNTRUSTED',
  'CERT_EXPIRED',
  'CERT_NOT_YET_VALID',
]);

/** Examines the chain that a server sent. Never throws for what it holds. */
export function examineServer(ders: readonly Buffer[], question: ServerQuestion): ServerExamination {
  const chain = readChain(ders);
  const [first, ...others] = chain;
  const malformed = chain.flatMap((sent, i) =>
    'problem' in sent ? [`certificate ${i + 1} of the server's chain cannot be read: ${sent.problem}`] : [],
  );
  if (first === undefined || 'problem' in first) {
    const faults = first === undefined ? [] : [{ ...fact('SERVER_CERT_UNTRUSTED', ...malformed), confidence: 'likely' as const }];
    return { chain, leaf: undefined, trust: 'refused', faults, remarks: malformed };
  }
  const leaf = first.certificate;
  const { authorities, crls, name, at } = question;
  const staple = readStaple(question.staple);
  const intermediates = readable(others);
  // without CAs the leaf stands for itself: its dates, names and purpose are facts all the same
  const anchors = authorities ?? [leaf];
  const known = authorities === undefined ? { crls: [] } : { crls, ocsp: staple.responses, softRevocation: crls.length === 0 };
  const verdict = verify({ leaf, intermediates, roots: anchors, ...known, purpose: 'server', name, at });
  const toTranslate = { ...verdict, errors: verdict.errors.filter(({ code }) => !OWN_WORDS.has(code)) };
  const { faults, untranslated } = translate(toTranslate, SERVER_FAULTS, labelOf(leaf.subject));
  const untrusted = verdict.errors.some(({ code }) => code === 'ISSUER_NOT_FOUND' || code === 'SELF_SIGNED_UNTRUSTED');
  const all = [
    ...dateFaults(verdict.path, [...intermediates, ...(authorities ?? [])], at.getTime()),
    ...nameFaults(leaf, name),
    ...(untrusted ? [whyUntrusted(leaf, verdict.path, intermediates, question)] : []),
    ...faults,
  ];
  // a staple is about the leaf alone: of the CAs above it nobody was asked
  const stapled = verdict.warnings.flatMap(({ code, message }) => (code === 'OCSP_UNUSABLE' ? [`stapled: ${message}`] : []));
  const remarks = [...malformed, ...untranslated, ...orderRemarks(chain), ...staple.problems, ...stapled];
  if (authorities === undefined) remarks.unshift('its issuer was not checked: no CA was given');
  const trust = authorities === undefined ? 'unchecked' : verdict.valid ? 'trusted' : 'refused';
  return { chain, leaf, trust, faults: all, remarks };
}

/** What cannot be read of a staple is worth saying, and no fault: clients pass it by. */
function readStaple(der: Buffer | undefined): { readonly responses: readonly OcspResponse[]; readonly problems: readonly string[] } {
  if (der === undefined) return { responses: [], problems: [] };
  try {
    return { responses: [readOcspResponse(der)], problems: [] };
  } catch (error) {
    if (!isError(error, 'OCSP_MALFORMED')) throw error;
    return { responses: [], problems: [`the stapled OCSP response cannot be read: ${error.facts.problem}`] };
  }
}

/** `others` bear witness for this machine's clock: when one of them is in date, the clock is not far off. */
function dateFaults(path: readonly Certificate[], others: readonly Certificate[], now: number): Fault[] {
  const isInDate = ({ notBefore, notAfter }: Certificate): boolean => now >= notBefore && now <= notAfter;
  return path.flatMap((certificate, i) => {
    if (isInDate(certificate)) return [];
    const isLeaf = i === 0;
    const evidence = expiredEvidence(isLeaf ? "the server's certificate" : `the CA ${labelOf(certificate.subject)}`, certificate, now);
    if (!isLeaf) return [fact('SERVER_CHAIN_EXPIRED', evidence)];
    const code = now > certificate.notAfter ? 'SERVER_CERT_EXPIRED' : 'SERVER_CERT_NOT_YET_VALID';
    return [
      others.some(isInDate) ? fact(code, evidence) : { ...fact(code, evidence), confidence: 'likely', alternatives: ['CLIENT_CLOCK_SKEW'] },
    ];
  });
}

function nameFaults(leaf: Certificate, name: NameQuery): Fault[] {
  if (matchesName(leaf.subjectAltName, name)) return [];
  const found = `the certificate has ${describeNames(leaf.subjectAltName)}`;
  if ('ip' in name) return [fact('SERVER_IP_NOT_IN_SAN', `asked for the address ${name.ip}; ${found}`)];
  const asked = 'host' in name ? name.host : '';
  const common = valuesOf(leaf.subject, OID.commonName);
  const onlyCommon = leaf.subjectAltName.dns.length === 0 && common.some((value) => value.toLowerCase() === asked.toLowerCase());
  const evidence = `asked for ${asked}; ${found}`;
  return [
    onlyCommon
      ? fact('SERVER_NAME_CN_ONLY', `${evidence}, and the common name ${labelOf(leaf.subject)}`)
      : fact('SERVER_NAME_MISMATCH', evidence),
  ];
}

/** No path leads to a CA that we were given: as exactly as the certificates tell, why. */
function whyUntrusted(
  leaf: Certificate,
  path: readonly Certificate[],
  intermediates: readonly Certificate[],
  question: ServerQuestion,
): Fault {
  const { authorities = [], listed, relatives, at } = question;
  const top = path.at(-1) ?? leaf;
  const trusted = `trusted: ${authorities.map(({ subject }) => labelOf(subject)).join(', ') || 'no CA at all'}`;
  const namesake = authorities.find((authority) => authority.subject.der.equals(top.issuer.der));
  if (namesake !== undefined && isSignedBy(top, namesake) !== 'valid') {
    const asked = top.authorityKeyId ?? (isSelfSigned(top) ? top.subjectKeyId : undefined);
    const keys = `its key id is ${namesake.subjectKeyId ?? 'not told'}, the issuer's is ${asked ?? 'not told'}`;
    return fact(
      'SERVER_CA_KEY_MISMATCH',
      `${labelOf(top.subject)} is issued by ${formatName(top.issuer)}; the trusted CA of that name did not sign it: ${keys}`,
    );
  }
  if (isSelfSigned(leaf))
    return fact('SERVER_CERT_SELF_SIGNED', `${formatName(leaf.subject)} is signed by its own key and is not among the trusted; ${trusted}`);
  const issued = `${labelOf(top.subject)} is issued by ${formatName(top.issuer)}; ${trusted}`;
  if (isSelfSigned(top)) return fact('SERVER_CERT_UNTRUSTED', `the server's chain ends at ${formatName(top.subject)}; ${trusted}`);
  const withRelatives = verify({ leaf, intermediates: [...intermediates, ...relatives], roots: authorities, crls: [], at });
  if (withRelatives.errors.every(({ code }) => code !== 'ISSUER_NOT_FOUND' && code !== 'SELF_SIGNED_UNTRUSTED')) {
    const missing = withRelatives.path.filter((certificate) => relatives.includes(certificate)).map(({ subject }) => formatName(subject));
    return fact('SERVER_CHAIN_INCOMPLETE', issued, `with ${missing.join(', ')}, which the server does not send, the chain is whole`);
  }
  const kin = looksIntermediate(
    top.issuer,
    authorities.map(({ subject }) => subject),
  );
  if (kin) {
    const samePki = listed.some(({ der }) => authorities.some(({ subject }) => subject.der.equals(der)));
    const evidence = [issued, 'by its name that is an intermediate, and the server does not send it'];
    if (samePki) evidence.push('the server names a trusted CA as one that it accepts: it is of the same PKI');
    return {
      code: 'SERVER_CHAIN_INCOMPLETE',
      confidence: samePki ? 'likely' : 'possible',
      evidence,
      alternatives: ['SERVER_CERT_UNTRUSTED'],
    };
  }
  return { code: 'SERVER_CERT_UNTRUSTED', confidence: 'likely', evidence: [issued], alternatives: ['SERVER_CHAIN_INCOMPLETE'] };
}

/** Clients mend a chain out of order, or with a stranger in it; strict ones do not (RFC 5246 §7.4.2). */
function orderRemarks(chain: readonly Sent[]): string[] {
  const certificates = readable(chain);
  const broken = certificates.slice(1).findIndex((issuer, i) => !certificates[i]!.issuer.der.equals(issuer.subject.der));
  if (broken < 0) return [];
  return [`certificate ${broken + 2} of the chain (${labelOf(certificates[broken + 1]!.subject)}) is not the issuer of the one before it`];
}
