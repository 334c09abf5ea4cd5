/** Says what time it is. Passed in everywhere below the commands, so that a test can fix it. */
export type Clock = () => Date;

/** The machine's own clock. */
export const systemClock: Clock = () => new Date();

/** Milliseconds since this process began, which no change of the clock moves: `performance.now()` loads modules that nothing else needs. */
export const uptime = (): number => process.uptime() * 1000;
