import { missing } from './programs.js';

/** The last line of the tests says what they could not be tried against. */
export const mochaHooks = {
  afterAll(): void {
    if (missing.size > 0) process.once('exit', () => console.log(`left out, for want of: ${[...missing].sort().join(', ')}\n`));
  },
};
