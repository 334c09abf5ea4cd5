import { setFlagsFromString } from 'node:v8';
import { missing } from './programs.js';

// V8 forgets the code of functions that were not called for a while, and with it that they ever were: they would not count
setFlagsFromString('--no-flush-bytecode');

/** The last line of the tests says what they could not be tried against. */
export const mochaHooks = {
  afterAll(): void {
    if (missing.size > 0) process.once('exit', () => console.log(`left out, for want of: ${[...missing].sort().join(', ')}\n`));
  },
};
