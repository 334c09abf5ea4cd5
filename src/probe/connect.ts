import { lookup } from 'node:dns/promises';
import { type Socket, connect, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MtlsError, systemCode } from '../errors.js';

/** The addresses of a host, or why there are none. */
export type Resolution = { readonly addresses: readonly string[]; readonly ms: number } | { readonly failure: string; readonly ms: number };

/** A connection, or why there is none. `address` is the one that answered, or the last one tried. */
export type Connection =
  | { readonly socket: Socket; readonly address: string; readonly ms: number }
  | {
      readonly failure: 'refused' | 'timeout' | 'unreachable' | 'closed';
      readonly reason: string;
      readonly address: string;
      readonly ms: number;
    };

/** A moment at the latest by which something must have happened, or the wish of whoever asked. */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** All addresses of a host name, in the resolver's order; an address is its own. */
export async function resolve(host: string, { timeoutMs, signal }: Limits): Promise<Resolution> {
  const began = performance.now();
  const ms = (): number => performance.now() - began;
  if (isIP(host) !== 0) return { addresses: [host], ms: 0 };
  try {
    const found = await withinTime(lookup(host, { all: true }), timeoutMs, signal);
    if (found === undefined) return { failure: `no answer within ${timeoutMs} ms`, ms: ms() };
    return found.length === 0 ? { failure: 'it has no address', ms: ms() } : { addresses: found.map(({ address }) => address), ms: ms() };
  } catch (error) {
    if (error instanceof MtlsError) throw error;
    return { failure: DNS_FAILURES[systemCode(error) ?? ''] ?? String(systemCode(error) ?? error), ms: ms() };
  }
}

const DNS_FAILURES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name (ENOTFOUND)',
  ENODATA: 'it has no address (ENODATA)',
  EAI_AGAIN: 'the resolver does not answer (EAI_AGAIN)',
};

/**
 * Connects to the first address that answers, one after the other. Each gets its share of the time, so that a dead
 * first address does not hide a live second one.
 */
export async function connectToFirst(addresses: readonly string[], port: number, limits: Limits): Promise<Connection> {
  const share = limits.timeoutMs / addresses.length;
  const began = performance.now();
  let last: Connection | undefined;
  for (const address of addresses) {
    last = await connectTo(address, port, { ...limits, timeoutMs: share });
    if ('socket' in last) break;
  }
  return { ...last!, ms: performance.now() - began };
}

/** One TCP connection. Never throws, except INTERRUPTED. */
export async function connectTo(address: string, port: number, { timeoutMs, signal }: Limits): Promise<Connection> {
  const began = performance.now();
  const ms = (): number => performance.now() - began;
  throwIfAborted(signal);
  const socket = connect({ host: address, port, allowHalfOpen: true });
  // what happens between here and the tap must not be an uncaught error; the tap sees the end for itself
  socket.on('error', () => {});
  socket.setNoDelay(true);
  const connected = new Promise<true>((settle, fail) => {
    socket.once('connect', () => settle(true));
    socket.once('error', fail);
  });
  try {
    if ((await withinTime(connected, timeoutMs, signal)) === true) return { socket, address, ms: ms() };
    socket.destroy();
    return { failure: 'timeout', reason: `no answer to the SYN within ${Math.round(timeoutMs)} ms`, address, ms: ms() };
  } catch (error) {
    socket.destroy();
    if (error instanceof MtlsError) throw error;
    const code = systemCode(error) ?? '';
    const { failure, reason } = TCP_FAILURES[code] ?? { failure: 'unreachable', reason: 'cannot be reached' };
    return { failure, reason: `${reason} (${code})`, address, ms: ms() };
  }
}

const TCP_FAILURES: Readonly<Record<string, { failure: 'refused' | 'timeout' | 'unreachable' | 'closed'; reason: string }>> = {
  ECONNREFUSED: { failure: 'refused', reason: 'connection refused' },
  ECONNRESET: { failure: 'closed', reason: 'reset while connecting' },
  ETIMEDOUT: { failure: 'timeout', reason: 'no answer to the SYN' },
  EHOSTUNREACH: { failure: 'unreachable', reason: 'no route to the host' },
  ENETUNREACH: { failure: 'unreachable', reason: 'no route to the network' },
};

/** What `promise` comes to, or undefined when the time is over first. Throws INTERRUPTED when the signal comes first. */
export async function withinTime<T>(promise: Promise<T>, timeoutMs: number, signal?: AbortSignal): Promise<T | undefined> {
  throwIfAborted(signal);
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal?.addEventListener('abort', stop, { once: true });
  // the timer gives way to an abort: either way this promise ends with undefined
  const timer = sleep(timeoutMs, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    const value = await Promise.race([promise, timer]);
    throwIfAborted(signal);
    return value;
  } finally {
    over.abort();
    signal?.removeEventListener('abort', stop);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new MtlsError('INTERRUPTED', {});
}
