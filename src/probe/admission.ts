import type { Attempt } from './handshake.js';
import { refusalOf } from './refusal.js';

/** What a server did with one whom it should not let in. `proven` when the application's answer shows it as well. */
export interface Admission {
  readonly refused: boolean;
  readonly proven: boolean;
  readonly seen: string;
}

/** Statuses by which an application, rather than the handshake, refuses. */
const REFUSING: ReadonlySet<number> = new Set([400, 401, 403, 421, 495, 496]);

/**
 * Was the one in `attempt` let in? `compared` is the attempt of one who should be: another status to him means that the
 * application makes the difference. undefined when there was no such attempt, or when it cannot be told, as both were
 * refused the same way.
 */
export function admissionOf(attempt: Attempt | undefined, compared: Attempt | undefined): Admission | undefined {
  if (attempt === undefined) return undefined;
  const refusal = refusalOf(attempt, false);
  if (refusal !== undefined) return { refused: true, proven: true, seen: refusal.seen };
  if (!attempt.secured) return undefined;
  if (attempt.answer?.kind !== 'http') {
    const spoke = attempt.transcript.serverSpoke;
    return {
      refused: false,
      proven: spoke,
      seen: spoke ? 'the handshake went through and the server spoke' : 'the handshake went through',
    };
  }
  const { status } = attempt.answer;
  const theirs = compared?.answer?.kind === 'http' ? compared.answer.status : undefined;
  const refused = REFUSING.has(status);
  if (refused && status === theirs) return undefined;
  return { refused, proven: theirs !== undefined || !refused, seen: `the handshake went through, and a GET was answered HTTP ${status}` };
}
