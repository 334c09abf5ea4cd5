import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/material.js';
import { replay } from '../support/session.js';

// Each file is what a user sees. After a change that is meant: UPDATE_SESSIONS=1 npx mocha test/sessions, and read the diff.
describe('a session at the terminal', function () {
  this.timeout(120_000);
  const here = fileURLToPath(new URL('.', import.meta.url));
  for (const file of readdirSync(here).filter((name) => name.endsWith('.txt'))) {
    it(`goes as it is written: ${file}`, async () => {
      const expected = readFileSync(`${here}${file}`, 'utf8');
      const directory = temporaryDirectory();
      after(directory.remove);
      const found = await replay(expected, directory.path);
      if (process.env['UPDATE_SESSIONS'] === '1') writeFileSync(`${here}${file}`, found);
      else assert.equal(found, expected);
    });
  }
});
