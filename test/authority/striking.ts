import { appendFileSync } from 'node:fs';
import { type Strike, injectFaults } from './faults.js';

/*
 * Loaded into the program before it begins (`node -r`): MTLS_STRIKE says where a fault strikes, MTLS_CALLS which file gets the
 * names of the calls that changed the file system, one a line.
 */
const { MTLS_STRIKE: strike, MTLS_CALLS: noted } = process.env;
const { calls, restore } = injectFaults(strike === undefined ? undefined : (JSON.parse(strike) as Strike));
process.once('exit', () => {
  restore();
  if (noted !== undefined) appendFileSync(noted, calls.map((call) => `${call}\n`).join(''));
});
