import { ALERTS } from './codepoints.js';
import type { Facts } from './facts.js';
import type { Attempt } from './handshake.js';

/** All that was seen of how a handshake came to its end, for the evidence. */
export function describeFailure({ transcript, timedOut, ms, ending, ownReason }: Attempt): string[] {
  return [
    ...transcript.alerts.map(({ from, code }) => `the ${from} sent alert ${describeAlert(code)}`),
    ...transcript.faults.map(({ from, problem }) => `what the ${from} sent cannot be read: ${problem}`),
    ...(timedOut ? [`nothing more came within ${Math.round(ms)} ms`] : []),
    ...(ending === undefined ? [] : [`the server ${ending.how === 'reset' ? 'reset' : 'closed'} the connection`]),
    ...(ownReason === undefined ? [] : [`the client's own TLS says ${ownReason}`]),
  ];
}

/** Did the server hang up without a byte, and does it so on one who says nothing as well? Then it never saw the hello. */
export const closesOnSilence = ({ attempt, again }: Facts): boolean =>
  attempt?.serverSaid.length === 0 && again.silent?.closed === true && again.silent.said.length === 0;

/** `48 unknown_ca`. */
export function describeAlert(code: number | null): string {
  if (code === null) return '(encrypted, it could not be opened)';
  return ALERTS[code] === undefined ? String(code) : `${code} ${ALERTS[code]}`;
}
