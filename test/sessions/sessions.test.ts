import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { replay } from '../support/session.js';

const here = fileURLToPath(new URL('.', import.meta.url));

// Each file is what a user sees. After a change that is meant: UPDATE_SESSIONS=1 npx mocha 'test/sessions/*.ts', and read the diff.
for (const file of readdirSync(here).filter((name) => name.endsWith('.txt'))) {
  describe(`a session at the terminal: ${file}`, function () {
    this.timeout(120_000);
    const expected = readFileSync(`${here}${file}`, 'utf8');
    const directory = temporaryDirectory();
    before(needs('bash', ...(/^# needs: (.*)$/m.exec(expected)?.[1]?.split(' ') ?? [])));
    after(directory.remove);

    it('goes as it is written', async () => {
      const found = await replay(expected, directory.path);
      if (process.env['UPDATE_SESSIONS'] === '1') writeFileSync(`${here}${file}`, found);
      else assert.equal(found, expected);
    });
  });
}
