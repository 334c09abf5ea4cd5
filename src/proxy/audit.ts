import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Decision, DecisionCode } from './admission.js';

/** What failed without a judgement: a handshake, the way to the upstream, a request that nobody could pass on. */
export type FailureCode = 'HANDSHAKE_FAILED' | 'UPSTREAM_UNAVAILABLE' | 'REQUEST_INVALID';

/** One line of the audit: what was decided about a connection, and why. The id is all that the other end gets to see. */
export interface AuditLine {
  readonly time: string;
  /** `decision`: on accept. `ended`: a live connection that may no longer pass. `failed`: no handshake, or no upstream. */
  readonly event: 'decision' | 'ended' | 'failed';
  readonly id: string;
  /** `inbound`: about a client of ours. `outbound`: about the upstream. */
  readonly direction: 'inbound' | 'outbound';
  readonly decision: 'allow' | 'deny';
  readonly code: DecisionCode | FailureCode;
  readonly reason: string;
  readonly peer: {
    readonly address: string;
    readonly identity: string | null;
    readonly serial: string | null;
    readonly subject: string | null;
  };
  readonly rule: string | null;
  readonly tls: { readonly version: string | null; readonly cipher: string; readonly resumed: boolean } | null;
}

/** Unguessable, and short enough to be read out on the telephone. */
export const newId = (): string => randomBytes(8).toString('hex');

/** The line of a decision. */
export function auditLine(
  { allowed, code, reason, identity, serial, subject, rule }: Decision,
  about: Pick<AuditLine, 'time' | 'event' | 'id' | 'direction' | 'tls'> & { readonly address: string },
): AuditLine {
  const { address, ...rest } = about;
  return { ...rest, decision: allowed ? 'allow' : 'deny', code, reason, peer: { address, identity, serial, subject }, rule };
}

/** The line of what failed before anybody could be judged. */
export function failureLine(
  code: FailureCode,
  reason: string,
  about: Pick<AuditLine, 'time' | 'id' | 'direction'> & { readonly address: string },
): AuditLine {
  const { address, ...rest } = about;
  const peer = { address, identity: null, serial: null, subject: null };
  return { ...rest, event: 'failed', decision: 'deny', code, reason, peer, rule: null, tls: null };
}

export const tlsFacts = (socket: TLSSocket): AuditLine['tls'] => ({
  version: socket.getProtocol(),
  cipher: socket.getCipher().standardName,
  resumed: socket.isSessionReused(),
});
