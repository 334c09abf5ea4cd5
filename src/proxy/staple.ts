import type { Clock } from '../base/clock.js';
import { fileState, readFileBounded } from '../base/files.js';
import type { Log } from '../base/log.js';
import { MtlsError, isError } from '../errors.js';
import { ocspUrlsOf } from '../pki/access.js';
import { type Certificate, isSignedBy, namesIssuer } from '../pki/certificate.js';
import { isoTime } from '../pki/fields.js';
import { type OcspResponse, readOcspResponse } from '../pki/ocsp.js';
import { ocspRequestFor } from '../pki/ocsp-request.js';
import { ocspAnswer } from '../validate/ocsp.js';
import type { Credentials } from './credentials.js';
import { RESPONSE_LIMIT, fetchOcsp } from './ocsp-fetch.js';

interface StapleOptions {
  readonly credentials: Credentials;
  /** Where the response is kept by somebody else; else the responder is asked that the certificate names. */
  readonly file?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a staple is about, and who can be asked for one. */
interface Subject {
  readonly own: Certificate;
  readonly issuer: Certificate | undefined;
  readonly urls: readonly string[];
}

/** An OCSP response that can be relied on. Times are milliseconds since 1970. */
interface Staple {
  readonly der: Buffer;
  readonly status: 'good' | 'revoked';
  readonly until: number;
}

const HEARTBEAT_MS = 500;
/** However short a time a response is good for. */
const SOONEST_MS = 5_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * The OCSP response that goes with a certificate of ours (RFC 6066 §8). It is there or it is not: no handshake waits for
 * it. It is got in the background, checked before anybody sees it, and got anew when half of its time is over. One that
 * says that our certificate is revoked is stapled as well: the peer is to know.
 */
export class Staples {
  readonly #options: StapleOptions;
  readonly #heartbeat: NodeJS.Timeout;
  #subject: Subject;
  #held: Staple | undefined;
  /** When the next one is to be had. */
  #dueAt = 0;
  #failures = 0;
  /** The last failure that was told: it is told once. */
  #told: string | undefined;
  /** The state of the file when it was read. */
  #seen: string | undefined;
  #asking: AbortController | undefined;

  /** Throws what is wrong with a file that was named. */
  constructor(options: StapleOptions) {
    this.#options = options;
    this.#subject = subjectOf(options.credentials);
    if (options.file !== undefined) readStaple(options.file);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    this.#beat();
  }

  /** What is stapled now. */
  get current(): Buffer | undefined {
    const now = this.#options.clock().getTime();
    return this.#held !== undefined && now <= this.#held.until ? this.#held.der : undefined;
  }

  /** The credentials were read again: what was stapled to another certificate is not for this one. */
  take(credentials: Credentials): void {
    const before = this.#subject.own;
    this.#subject = subjectOf(credentials);
    if (this.#subject.own.der.equals(before.der)) return;
    this.#asking?.abort();
    this.#held = this.#told = this.#seen = this.#asking = undefined;
    this.#dueAt = this.#failures = 0;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#asking?.abort();
  }

  #beat(): void {
    const { file, clock } = this.#options;
    const isDue = clock().getTime() >= this.#dueAt;
    if (file !== undefined) this.#look(file, isDue);
    else if (isDue && this.#subject.urls.length > 0 && this.#asking === undefined) void this.#ask(this.#subject);
  }

  /** Reads the file when it changed, and when what it holds may be of use by now. */
  #look(file: string, isDue: boolean): void {
    const state = fileState(file);
    if (state === this.#seen && !isDue) return;
    this.#seen = state;
    this.#try(() => readStaple(file));
  }

  async #ask({ own, issuer, urls }: Subject): Promise<void> {
    if (issuer === undefined) return this.#fail(NO_ISSUER);
    const asking = (this.#asking = new AbortController());
    const fetched = await fetchOcsp(urls[this.#failures % urls.length]!, ocspRequestFor(own, issuer), asking.signal);
    // meanwhile it became another certificate, or the end
    if (asking.signal.aborted) return;
    this.#asking = undefined;
    if ('problem' in fetched) this.#fail(fetched.problem);
    else this.#try(() => readOcspResponse(fetched.der));
  }

  #try(read: () => OcspResponse): void {
    try {
      const staple = judge(read(), this.#subject, this.#options.clock());
      if ('problem' in staple) this.#fail(staple.problem);
      else this.#hold(staple);
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      this.#fail(error.message);
    }
  }

  #hold(staple: Staple): void {
    const { clock, log } = this.#options;
    this.#failures = 0;
    this.#told = undefined;
    const now = clock().getTime();
    this.#dueAt = Math.max((now + staple.until) / 2, now + SOONEST_MS);
    const isNew = this.#held?.der.equals(staple.der) !== true;
    this.#held = staple;
    if (isNew) log[staple.status === 'good' ? 'info' : 'warn']('stapling', { status: staple.status, until: isoTime(staple.until) });
  }

  /** What is stapled stays so until it ends. */
  #fail(reason: string): void {
    const { clock, log } = this.#options;
    this.#dueAt = clock().getTime() + Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LONGEST_RETRY_MS);
    if (reason !== this.#told) log.warn('nothing new to staple', { reason });
    this.#told = reason;
  }
}

const NO_ISSUER = 'the certificate of its issuer is not among those that it sends or trusts';

function subjectOf({ chain, roots }: Credentials): Subject {
  const [own, ...above] = chain as [Certificate, ...Certificate[]];
  const issuer = [...above, ...roots].find((each) => namesIssuer(own, each) && isSignedBy(own, each) === 'valid');
  // asked over TLS, the responder would have to be judged first
  const urls = ocspUrlsOf(own).filter((url) => url.startsWith('http://') && URL.canParse(url));
  return { own, issuer, urls };
}

/** Throws the errors of reading, or OCSP_MALFORMED with the file. */
function readStaple(path: string): OcspResponse {
  try {
    return readOcspResponse(readFileBounded(path, RESPONSE_LIMIT, 'an OCSP response (DER)'));
  } catch (error) {
    if (!isError(error, 'OCSP_MALFORMED')) throw error;
    throw new MtlsError('OCSP_MALFORMED', { problem: `${error.facts.problem}, in ${path}` }, { cause: error });
  }
}

/** Can it be relied on? Clients judge it again; to send them what they will refuse helps nobody. */
function judge(response: OcspResponse, { own, issuer }: Subject, now: Date): Staple | { readonly problem: string } {
  if (issuer === undefined) return { problem: NO_ISSUER };
  const answer = ocspAnswer(response, own, issuer, now);
  if (answer === undefined) return { problem: 'the OCSP response is about another certificate' };
  if (answer.status === 'unusable') return { problem: answer.message };
  const about = response.responses.filter(({ certId }) => certId.serial === own.serial);
  const ends = about.flatMap(({ nextUpdate = 0 }) => (nextUpdate >= now.getTime() ? [nextUpdate] : []));
  return { der: response.der, status: answer.status, until: Math.min(...ends) };
}
