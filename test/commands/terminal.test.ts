import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { atTerminal } from '../support/at-terminal.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { mtls } from '../support/session.js';

describe('at a terminal', function () {
  this.timeout(30_000);
  before(needs('script'));
  const directory = temporaryDirectory();
  after(directory.remove);

  it('init asks, with defaults that are good', async () => {
    const cwd = join(directory.path);
    const terminal = atTerminal('init', cwd);
    await terminal.shows('trust domain');
    terminal.type('Not A Domain\r');
    await terminal.shows('expected lower-case letters');
    terminal.type('\u0015shop.test\r');
    await terminal.shows('key type');
    terminal.type('\u001b[B\r');
    const [code] = await terminal.end;
    assert.equal(code, 0, terminal.screen());
    // in colour, here
    assert.ok(terminal.screen().includes('\u001b[32m✓'));
    const { stdout } = await mtls(['inspect', '.mtls/authority/root.crt', '--json'], { cwd });
    const [root] = (JSON.parse(stdout) as { items: [{ key: string; subject: string }] }).items;
    assert.equal(root.key, 'EC P-384');
    assert.match(root.subject, /^O=shop\.test, /);
  });

  it('init makes nothing when it is interrupted at a question', async () => {
    const other = temporaryDirectory();
    const terminal = atTerminal('init', other.path);
    await terminal.shows('trust domain');
    terminal.type('\u0003');
    const [code] = await terminal.end;
    assert.equal(code, 130, terminal.screen());
    assert.deepEqual(readdirSync(other.path), []);
    other.remove();
  });

  it('init asks nothing with --yes, and nobody without a terminal', async () => {
    const other = temporaryDirectory();
    const [code] = await atTerminal('init --yes', other.path).end;
    assert.equal(code, 0);
    const third = temporaryDirectory();
    assert.equal((await mtls(['init'], { cwd: third.path })).code, 0);
    assert.ok(existsSync(join(third.path, '.mtls', 'workspace.json')));
    other.remove();
    third.remove();
  });
});
