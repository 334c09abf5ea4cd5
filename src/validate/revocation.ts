import { isError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { type Crl, type RevokedEntry, findRevoked } from '../pki/crl.js';
import { isSameName, labelOf } from '../pki/name.js';
import { type CrlFault, DELTA_FAULT, criticalEntryFault, crlFault } from './crl-faults.js';
import { ALL_REASONS, coverage, isDelta, scopeOf } from './crl-scope.js';
import type { Finding, FindingCode } from './findings.js';
import { OcspAnswers } from './ocsp.js';
import type { Path, Verdict, VerifyRequest } from './request.js';
import { iso } from './rules/rule.js';
import { costOf } from './signatures.js';
import type { Work } from './work.js';

/** A million entries are looked through in about a tenth of a second, and hashed in another. */
const CRL_BYTES_PER_UNIT = 20_000;

/** What one CRL says of one certificate: nothing that can be relied on, or for which reasons it is or is not revoked. */
type Said = { readonly fault: CrlFault } | { readonly crl: Crl; readonly entry: RevokedEntry | undefined; readonly covers: number };

type Validate = (request: VerifyRequest) => Verdict;

/** Is anything in a path revoked (RFC 5280 §6.3, RFC 6960)? Remembers what it learnt of the CRLs, for the next path. */
export class Revocation {
  readonly #request: VerifyRequest;
  readonly #work: Work;
  readonly #ocsp: OcspAnswers;
  /** Validates another certificate by the same inputs: that of a signer of CRLs who is not in the path. */
  readonly #validate: Validate;
  readonly #faults = new Map<Crl, Map<Certificate, CrlFault | undefined>>();
  readonly #vouched = new Map<Certificate, boolean>();

  constructor(request: VerifyRequest, work: Work, validate: Validate) {
    this.#request = request;
    this.#work = work;
    this.#validate = validate;
    this.#ocsp = new OcspAnswers(request, work, (path) => revocationIn(this.#askAll(path, 0)) !== undefined);
  }

  /** Each certificate below the anchor; nothing is asked when no CRL and no OCSP response was given. */
  check({ certificates }: Path): { readonly errors: readonly Finding[]; readonly warnings: readonly Finding[] } {
    const { crls, ocsp = [], revocation = 'when given', softRevocation = false } = this.#request;
    if (crls.length === 0 && ocsp.length === 0 && revocation === 'when given') return { errors: [], warnings: [] };
    const findings = certificates.slice(0, -1).flatMap((_, at) => this.#check(certificates, at) ?? []);
    const isError = ({ code }: Finding): boolean => !softRevocation || code === 'CERT_REVOKED';
    return { errors: findings.filter(isError), warnings: findings.filter((found) => !isError(found)) };
  }

  #check(path: readonly Certificate[], at: number): Finding | undefined {
    const certificate = path[at]!;
    const issuer = path[at + 1]!;
    const subject = labelOf(certificate.subject);
    const say = (code: FindingCode, message: string): Finding => ({ code, message: `${subject}: ${message}`, subject, at });
    const said = this.#askAll(path, at);
    const revoked = revocationIn(said);
    if (revoked !== undefined) return say('CERT_REVOKED', revoked);
    const byOcsp = this.#ocsp.ask(certificate, path.slice(at + 1));
    if (byOcsp?.status === 'revoked') return say('CERT_REVOKED', byOcsp.message);
    if (byOcsp?.status === 'good' || isCovered(said)) return undefined;
    const fault = said.flatMap((one) => ('fault' in one ? [one.fault] : []))[0];
    if (fault !== undefined) return say(fault.code, fault.message);
    if (byOcsp !== undefined) return say('OCSP_UNUSABLE', byOcsp.message);
    const what = said.length === 0 ? 'no CRL' : 'no CRL for this certificate and all reasons';
    return say('CRL_NOT_FOUND', `${what} of ${labelOf(issuer.subject)} at hand`);
  }

  /** What the CRLs by the issuer of the certificate at `at` say of it. */
  #askAll(path: readonly Certificate[], at: number): Said[] {
    const { subject } = path[at + 1]!;
    return this.#request.crls.filter((crl) => isSameName(crl.issuer, subject)).map((crl) => this.#ask(crl, path, at));
  }

  #ask(crl: Crl, path: readonly Certificate[], at: number): Said {
    const fault = this.#faultOf(crl, path, at);
    if (fault !== undefined) return { fault };
    const scope = scopeOf(crl);
    const certificate = path[at]!;
    this.#work.spend(crl.revoked.length / CRL_BYTES_PER_UNIT);
    try {
      const entry = findRevoked(crl, certificate.serial);
      if (isDelta(crl) && entry === undefined) return { fault: DELTA_FAULT };
      const covers = scope === 'malformed' ? 0 : coverage(scope, certificate);
      // what it says of a certificate that is not in its scope, it does not say (RFC 5280 §6.3.3 b 2)
      return { crl, entry: covers === 0 ? undefined : entry, covers };
    } catch (error) {
      // entries are read when they are walked; whatever a list that is torn says no more, it may have said of this one
      if (!isError(error, 'CRL_MALFORMED')) throw error;
      return { fault: { code: 'CRL_MALFORMED', message: `the CRL of ${labelOf(crl.issuer)}: ${error.message}` } };
    }
  }

  /** undefined: signed by the issuer, or by another key of the same CA that leads to the same anchor (RFC 5280 §6.3.3 f). */
  #faultOf(crl: Crl, path: readonly Certificate[], at: number): CrlFault | undefined {
    const issuer = path[at + 1]!;
    const fault = this.#faultBy(crl, issuer);
    if (fault === undefined || (fault.code !== 'CRL_SIGNATURE_INVALID' && fault.code !== 'CRL_SIGN_MISSING')) return fault;
    const others = [...path.slice(at + 1), ...this.#request.intermediates, ...this.#request.roots].filter(
      (other) => other !== issuer && isSameName(other.subject, issuer.subject) && !other.publicKey.der.equals(issuer.publicKey.der),
    );
    for (const other of others) {
      if (this.#faultBy(crl, other) === undefined && (path.indexOf(other) > at || this.#isVouchedFor(other, path.at(-1)!)))
        return undefined;
    }
    return fault;
  }

  #faultBy(crl: Crl, signer: Certificate): CrlFault | undefined {
    let bySigner = this.#faults.get(crl);
    if (bySigner === undefined) this.#faults.set(crl, (bySigner = new Map()));
    if (!bySigner.has(signer)) {
      this.#work.spend(costOf(signer.publicKey) + crl.der.length / CRL_BYTES_PER_UNIT);
      bySigner.set(signer, crlFault(crl, signer, this.#request) ?? criticalEntryFault(crl));
    }
    return bySigner.get(signer);
  }

  /** A signer of CRLs needs a good path to the same anchor, and not to be revoked; while that is asked, nobody vouches for himself. */
  #isVouchedFor(signer: Certificate, anchor: Certificate): boolean {
    const known = this.#vouched.get(signer);
    if (known !== undefined) return known;
    this.#vouched.set(signer, false);
    const { purpose: _purpose, name: _name, policy: _policy, ...inputs } = this.#request;
    const intermediates = inputs.intermediates.filter((other) => other !== signer);
    const crls = inputs.crls.filter((crl) => this.#faultBy(crl, signer) !== undefined);
    const { valid } = this.#validate({ ...inputs, leaf: signer, intermediates, roots: [anchor], crls, revocation: 'required' });
    this.#vouched.set(signer, valid);
    return valid;
  }
}

/** Is the certificate revoked by any of these? A hold that a later CRL no longer has was lifted (RFC 5280 §5.3.1); nothing else is taken back. */
function revocationIn(said: readonly Said[]): string | undefined {
  let held: { readonly crl: Crl; readonly entry: RevokedEntry } | undefined;
  for (const one of said) {
    if ('fault' in one || one.entry === undefined) continue;
    const { crl, entry } = one;
    if (entry.reason !== 'certificateHold' || isDelta(crl)) return describe(crl, entry);
    if (held === undefined || crl.thisUpdate > held.crl.thisUpdate) held = { crl, entry };
  }
  if (held === undefined) return undefined;
  const since = held.crl.thisUpdate;
  const lifted = said.some(
    (one) => !('fault' in one) && one.entry === undefined && one.covers === ALL_REASONS && one.crl.thisUpdate > since,
  );
  return lifted ? undefined : describe(held.crl, held.entry);
}

/** Do the CRLs that can be relied on cover all reasons between them (RFC 5280 §6.3.3 e)? */
function isCovered(said: readonly Said[]): boolean {
  return said.reduce((mask, one) => ('fault' in one ? mask : mask | one.covers), 0) === ALL_REASONS;
}

const describe = (crl: Crl, { date, reason }: RevokedEntry): string =>
  `revoked ${iso(date)} (${reason ?? 'unspecified'}), by the CRL of ${iso(crl.thisUpdate)}`;
