import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Carries bytes both ways until both are through: an end that is only half closed still gets what is on its way. */
export function tunnel(a: Duplex, b: Duplex): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on('error', () => breakOff(to));
    // torn off in the middle: what it still owed will not come
    from.on('close', () => {
      if (!from.readableEnded || !from.writableFinished) breakOff(to);
    });
  }
}

/** Ends a connection so that nobody takes it for the end of what was said. TLS has its own sign of a good end, which is not sent then. */
function breakOff(socket: Duplex): void {
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else socket.destroy();
}
