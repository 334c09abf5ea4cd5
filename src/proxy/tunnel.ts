import type { Duplex } from 'node:stream';

/** Carries bytes both ways until both are through: an end that is only half closed still gets what is on its way. */
export function tunnel(a: Duplex, b: Duplex): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    // torn off in the middle: what it still owed will not come
    from.on('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}
