import { describeAlert } from './failure.js';
import type { Attempt } from './handshake.js';
import type { TranscriptAlert } from './transcript.js';

/** How a server said no to a client, once it had asked for a certificate and got its answer. */
export interface Refusal {
  readonly how: 'alert' | 'closed' | 'http';
  /** The alert's number; null for one that could not be opened, undefined where there was none. */
  readonly alert: number | null | undefined;
  /** What was seen, for the evidence. */
  readonly seen: string;
  /** It is about a certificate that was not sent: the server says so itself. */
  readonly saysNoneSent: boolean;
}

/**
 * The refusal in an attempt, or undefined when there is none. `expectsHttp` when whoever asks knows that the server
 * speaks HTTP: only then is a connection that ends on the request a refusal.
 */
export function refusalOf(attempt: Attempt, expectsHttp: boolean): Refusal | undefined {
  const { transcript, answer } = attempt;
  if (transcript.certificateRequest === undefined || transcript.milestones.clientCertificate === undefined) return undefined;
  const alert = fatalAlert(attempt);
  if (alert !== undefined) {
    const seen = `the server sent alert ${describeAlert(alert.code)} ${whenOf(attempt)}`;
    return { how: 'alert', alert: alert.code, seen, saysNoneSent: alert.code === 116 };
  }
  const http = answer?.kind === 'http' ? httpRefusal(answer.status, answer.body) : undefined;
  if (http !== undefined) return { how: 'http', alert: undefined, ...http };
  if (!wasClosed(attempt, expectsHttp)) return undefined;
  const how = attempt.ending?.how === 'reset' ? 'reset the connection' : 'closed the connection';
  return { how: 'closed', alert: undefined, seen: `the server ${how} ${whenOf(attempt)}, without an alert`, saysNoneSent: false };
}

/**
 * An application's no to whoever had a certificate. By itself it may be a policy: it counts as a refusal of the
 * certificate where that has a fault.
 */
export function applicationRefusalOf({ answer }: Attempt): Refusal | undefined {
  if (answer?.kind !== 'http' || !APPLICATION_REFUSALS.has(answer.status)) return undefined;
  return { how: 'http', alert: undefined, seen: `the server answered HTTP ${answer.status}`, saysNoneSent: false };
}

const APPLICATION_REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

/** The server's first alert after the client's certificate that is not about closing. */
function fatalAlert({ transcript }: Attempt): TranscriptAlert | undefined {
  const since = transcript.milestones.clientCertificate ?? Infinity;
  return transcript.alerts.find(
    ({ from, level, code, at }) => from === 'server' && at >= since && code !== 0 && (level !== 1 || code === 41),
  );
}

/** Did the server hang up on us without having said anything? */
function wasClosed({ secured, ending, transcript, answer }: Attempt, expectsHttp: boolean): boolean {
  const closing = transcript.alerts.some(({ from, code }) => from === 'server' && code === 0);
  if (transcript.serverSpoke || (ending === undefined && !closing)) return false;
  // closed while we waited, or on our first words
  return !secured || answer === undefined || expectsHttp;
}

function whenOf({ secured, transcript }: Attempt): string {
  if (secured && transcript.milestones.clientFinished !== undefined) return "after the client's Finished";
  return "after the client's certificate";
}

/** nginx lets everyone through the handshake and answers in HTTP; 495 and 496 are its own codes for the same. */
const HTTP_REFUSALS: readonly { readonly status: number; readonly body: RegExp; readonly none: boolean }[] = [
  { status: 400, body: /No required SSL certificate was sent/i, none: true },
  { status: 400, body: /The SSL certificate error/i, none: false },
  { status: 496, body: /^/, none: true },
  { status: 495, body: /^/, none: false },
];

function httpRefusal(status: number, body: string): Pick<Refusal, 'seen' | 'saysNoneSent'> | undefined {
  const row = HTTP_REFUSALS.find((candidate) => candidate.status === status && candidate.body.test(body));
  if (row === undefined) return undefined;
  const words = /No required SSL certificate was sent|The SSL certificate error/i.exec(body)?.[0];
  return { seen: `the server answered HTTP ${status}${words === undefined ? '' : ` "${words}"`}`, saysNoneSent: row.none };
}
