import type { Socket } from 'node:net';
import { printable } from '../pki/name.js';
import { type Limits, withinTime } from './connect.js';

/** What was said in clear text before TLS: it may begin now, or why not. */
export type Upgrade = { readonly ready: true } | { readonly ready: false; readonly problem: string };

/** One turn of a clear-text conversation: what to send, and which answer lets it go on. */
interface Step {
  readonly send?: string | Buffer;
  /** Does the text so far hold the whole answer? The answer when it does. */
  readonly answer: (text: string) => string | undefined;
  readonly granted: RegExp;
}

/** The text up to and with the first whole line that `pattern` matches; undefined while there is none. */
const upToLine =
  (pattern: RegExp) =>
  (text: string): string | undefined => {
    for (let start = 0, end = text.indexOf('\n'); end >= 0; start = end + 1, end = text.indexOf('\n', start)) {
      if (pattern.test(text.slice(start, end).trimEnd())) return text.slice(0, end + 1);
    }
    return undefined;
  };

const smtpReply = upToLine(/^\d{3}(?: |$)/);
const firstLine = upToLine(/^/);

/** SSLRequest: length 8, then the code 1234 5679 (PostgreSQL's protocol, message formats). */
export const POSTGRES_SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

const CONVERSATIONS = {
  // RFC 3207
  smtp: [
    { answer: smtpReply, granted: /^220/ },
    { send: 'EHLO mtls.invalid\r\n', answer: smtpReply, granted: /^250[ -]STARTTLS\b/im },
    { send: 'STARTTLS\r\n', answer: smtpReply, granted: /^220/ },
  ],
  // RFC 3501 §6.2.1
  imap: [
    { answer: firstLine, granted: /^\* OK/i },
    { send: 'a1 STARTTLS\r\n', answer: upToLine(/^a1 /i), granted: /^a1 OK/im },
  ],
  // RFC 2595 §4
  pop3: [
    { answer: firstLine, granted: /^\+OK/i },
    { send: 'STLS\r\n', answer: firstLine, granted: /^\+OK/i },
  ],
  postgres: [{ send: POSTGRES_SSL_REQUEST, answer: (text) => text.slice(0, 1) || undefined, granted: /^S/ }],
} as const satisfies Readonly<Record<string, readonly Step[]>>;

/** A protocol that begins in clear text and upgrades. */
export type StarttlsProtocol = keyof typeof CONVERSATIONS;

/** The protocols that `--starttls` takes. */
export const STARTTLS_PROTOCOLS = Object.keys(CONVERSATIONS) as StarttlsProtocol[];

/** More than any greeting has. */
const ANSWER_LIMIT = 16_384;

/** Asks a server in its clear-text protocol for TLS. Never throws, except INTERRUPTED. */
export async function upgrade(socket: Socket, protocol: StarttlsProtocol, limits: Limits): Promise<Upgrade> {
  const steps: readonly Step[] = CONVERSATIONS[protocol];
  const until = performance.now() + limits.timeoutMs;
  for (const step of steps) {
    if (step.send !== undefined) socket.write(step.send);
    const left = { ...limits, timeoutMs: Math.max(1, until - performance.now()) };
    const answer = await readAnswer(socket, step, left);
    const sent = step.send === undefined || Buffer.isBuffer(step.send) ? '' : ` to ${step.send.trim()}`;
    if (answer === undefined) return { ready: false, problem: `no answer${sent} in ${protocol}` };
    if (!step.granted.test(answer))
      return { ready: false, problem: `the answer${sent} was ${JSON.stringify(printable(answer.slice(0, 120)))}` };
  }
  return { ready: true };
}

/** Reads until the step's answer is whole; what came behind it goes back, for TLS to refuse. */
async function readAnswer(socket: Socket, step: Step, limits: Limits): Promise<string | undefined> {
  if (socket.destroyed || socket.readableEnded) return undefined;
  let text = '';
  let settle: (answer: string | undefined) => void = () => {};
  const whole = new Promise<string | undefined>((resolve) => (settle = resolve));
  const onData = (bytes: Buffer): void => {
    text += bytes.toString('latin1');
    const answer = step.answer(text);
    if (answer === undefined && text.length < ANSWER_LIMIT) return;
    socket.off('data', onData);
    socket.pause();
    if (answer !== undefined && answer.length < text.length) socket.unshift(Buffer.from(text.slice(answer.length), 'latin1'));
    settle(answer);
  };
  const onEnd = (): void => settle(undefined);
  socket.on('data', onData).once('end', onEnd).once('close', onEnd).resume();
  try {
    return await withinTime(whole, limits.timeoutMs, limits.signal);
  } finally {
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
  }
}
