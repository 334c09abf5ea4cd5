import type { AuditLine } from '../proxy/index.js';
import { mark, style } from './style.js';

const clock = (iso: string): string => style.dim(iso.slice(11, 19));

/** A decision, in a line. */
export function renderAudit({ time, decision, code, reason, peer, id }: AuditLine): string {
  const who = peer.identity ?? peer.subject ?? peer.address;
  return `${clock(time)} ${decision === 'allow' ? mark.good : mark.bad} ${who}: ${reason} ${style.dim(`${code} ${id}`)}`;
}

export function renderListening({
  time,
  url,
  upstream,
}: {
  readonly time: string;
  readonly url: string;
  readonly upstream: string;
}): string {
  return `${clock(time)} listening on ${style.strong(url)}, passing on to ${upstream}`;
}

/** What happened to the sidecar itself. */
export function renderLog({
  time,
  event,
  level,
  ...fields
}: {
  readonly time: string;
  readonly event: string;
  readonly level: 'info' | 'warn';
}): string {
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return [clock(time), level === 'warn' ? style.warn(event) : event, ...facts].join(' ');
}
