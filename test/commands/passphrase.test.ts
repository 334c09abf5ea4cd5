import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pkcs8Of, readPrivateKey } from '../../src/pki/key.js';
import { encryptedPrivateKeyToPem } from '../../src/pki/pbes2.js';
import { atTerminal } from '../support/at-terminal.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

const SECRET = 'open sesame';

/** A command line, as a user types it into bash; what it leaves of its input too. */
const inShell = (line: string, cwd: string) =>
  spawnSync('bash', ['-c', `mtls() { '${process.execPath}' '${MTLS}' "$@"; }; ${line}`], {
    cwd,
    env: plainEnvironment(),
    encoding: 'utf8',
  });

describe('a passphrase', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const service = (file: string): string => join('.mtls', 'services', 'web', file);
  const keyOf = () => readPrivateKey(readFileSync(join(cwd, service('tls.key'))), 'tls.key');
  // nothing listens there: 1 says that the key was opened
  const probe = ['probe', '127.0.0.1:1', '--cert', service('tls.crt'), '--ca', service('ca.crt'), '--key', 'enc.key'];
  const [OPENED, COULD_NOT] = [1, 2];
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'web'], { cwd })).code, 0);
    directory.file('enc.key', encryptedPrivateKeyToPem(pkcs8Of(keyOf()), SECRET));
    directory.file('pass.txt', `${SECRET}\nnot this line\n`);
    directory.file('windows.txt', `${SECRET}\r\n`);
  });
  after(directory.remove);

  describe('comes from', () => {
    for (const [from, flags] of [
      ['the first line of a file', '--passphrase-file pass.txt'],
      ['a file of Windows', '--passphrase-file windows.txt'],
      ['what a shell makes of a command', '--passphrase-file <(cat pass.txt)'],
      ['a variable', `--passphrase-env SECRET`],
      ['the first line of a file descriptor', '--passphrase-fd 3 3<pass.txt'],
      ['a pipe', `--passphrase-fd 3 3< <(sleep 0.3; printf '%s' "$SECRET")`],
      ['stdin', '--passphrase-fd 0 <pass.txt'],
      ['a command', "--passphrase-command 'sleep 0.1; cat pass.txt'"],
      ['a command that reads what we were given', '--passphrase-command cat <pass.txt'],
    ] as const)
      it(from, () => {
        const { status, stderr } = inShell(`export SECRET='${SECRET}'; mtls ${probe.join(' ')} ${flags}`, cwd);
        assert.equal(status, OPENED, stderr);
      });

    it('a socket, as a parent that is Node gives it', async () => {
      const child = spawn(process.execPath, [MTLS, ...probe, '--passphrase-fd', '0'], { cwd, env: plainEnvironment() });
      child.stdin.write(`${SECRET}\n`);
      assert.deepEqual(await once(child, 'close'), [OPENED, null]);
    });

    it('one place only', async () => {
      const ladder = [
        ['--passphrase-file', 'pass.txt'],
        ['--passphrase-env', 'SECRET'],
        ['--passphrase-fd', '3'],
        ['--passphrase-command', 'cat pass.txt'],
      ];
      for (const [i, one] of ladder.entries())
        for (const other of ladder.slice(i + 1)) assert.equal((await told([...probe, ...one, ...other], { cwd })).code, 'USAGE');
    });
  });

  it('is looked for only where something is encrypted', async () => {
    const open = probe.with(-1, service('tls.key'));
    for (const flags of [
      ['--passphrase-file', 'none.txt'],
      ['--passphrase-command', 'touch ran; false'],
      ['--passphrase-fd', '77'],
    ]) {
      assert.equal((await mtls([...open, ...flags], { cwd })).code, OPENED);
      assert.equal((await mtls([...probe, ...flags], { cwd })).code, COULD_NOT);
    }
    assert.ok(existsSync(join(cwd, 'ran')), 'the command of the second');
  });

  it('takes one line of a descriptor, and leaves the rest to whoever comes next', () => {
    const { stdout } = inShell(`exec 3< <(cat pass.txt); mtls ${probe.join(' ')} --passphrase-fd 3 >/dev/null; cat <&3`, cwd);
    assert.equal(stdout, 'not this line\n');
  });

  describe('that cannot be had is an error, and what was printed instead is not told:', () => {
    for (const [what, flags, code, message] of [
      [
        'a command that fails',
        ['--passphrase-command', 'echo hush; exit 3'],
        'PASSPHRASE_COMMAND_FAILED',
        'the passphrase command exited with 3',
      ],
      ['a command that is killed', ['--passphrase-command', 'echo hush; kill -9 $$'], 'PASSPHRASE_COMMAND_FAILED', 'was ended by SIGKILL'],
      ['a command that prints nothing', ['--passphrase-command', 'true'], 'PASSPHRASE_COMMAND_FAILED', 'printed nothing'],
      [
        'a command that prints for ever',
        ['--passphrase-command', 'yes hush 2>&-'],
        'PASSPHRASE_COMMAND_FAILED',
        'printed more than 65536 bytes',
      ],
      ['a command that is none', ['--passphrase-command', 'no-such-program 2>&-'], 'PASSPHRASE_COMMAND_FAILED', 'exited with 127'],
      ['a variable that is not set', ['--passphrase-env', 'NOT_SET'], 'VALUE_INVALID', 'the name of a variable that is set'],
      ['a descriptor that is not open', ['--passphrase-fd', '77'], 'FILE_NOT_READABLE', '/dev/fd/77: it is not open for that'],
      ['a descriptor with nothing in it', ['--passphrase-fd', '0'], 'FILE_EMPTY', '/dev/fd/0 is empty, expected a passphrase'],
      ['a file that is not there', ['--passphrase-file', 'none.txt'], 'FILE_NOT_FOUND', 'none.txt'],
    ] as const)
      it(what, async () => {
        const error = await told([...probe, ...flags], { cwd });
        assert.equal(error.code, code);
        assert.ok(error.message.includes(message), error.message);
        assert.doesNotMatch(error.message, /hush/);
      });

    it('a line without an end', async () => {
      const { code } = await told([...probe, '--passphrase-fd', '0'], { cwd, input: 'x'.repeat(70_000) });
      assert.equal(code, 'FILE_TOO_LARGE');
    });

    it('none at all, with nobody to ask', async () => {
      const { code, hints } = await told(probe, { cwd });
      assert.equal(code, 'KEY_ENCRYPTED');
      assert.match(hints[0]!, /^read -rs MTLS_PASSPHRASE && /);
    });
  });

  it('that opens nothing leads to another one, whatever flag it came by', async () => {
    for (const flags of [['--passphrase-command', 'echo wrong'], ['--passphrase-command=echo wrong'], ['--passphrase-fd', '0']]) {
      const { code, hints } = await told([...probe, ...flags], { cwd, input: 'wrong\n' });
      assert.equal(code, 'PASSPHRASE_WRONG');
      assert.match(hints[0]!, /mtls probe .* --key enc\.key --passphrase-env MTLS_PASSPHRASE$/);
    }
  });

  describe('that nobody gives is not waited for when Ctrl-C comes:', () => {
    for (const flags of [
      ['--passphrase-fd', '3'],
      ['--passphrase-command', 'sleep 60'],
    ])
      it(flags.join(' '), async () => {
        const line = `exec 3< <(sleep 60 3<&-); echo $!; exec '${process.execPath}' '${MTLS}' ${probe.join(' ')} '${flags[0]}' '${flags[1]}'`;
        const child = spawn('bash', ['-c', line], { cwd, env: plainEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] });
        const [sleeper] = (await once(child.stdout, 'data')) as [Buffer];
        const ended = once(child, 'exit');
        try {
          await sleep(1_500);
          const start = performance.now();
          child.kill('SIGINT');
          assert.deepEqual(await ended, [130, null]);
          assert.ok(performance.now() - start < 1_000);
        } finally {
          process.kill(Number(sleeper.toString()));
        }
      });
  });

  describe('is asked for at a terminal', () => {
    before(needs('script'));

    it('unseen, and opens the key', async () => {
      const terminal = atTerminal(probe.join(' '), cwd);
      await terminal.shows('passphrase of enc.key');
      terminal.type(`${SECRET}\r`);
      assert.deepEqual((await terminal.end)[0], OPENED, terminal.screen());
      assert.doesNotMatch(terminal.screen(), /sesame/);
    });

    it('once: a wrong one is an error', async () => {
      const terminal = atTerminal(probe.join(' '), cwd);
      await terminal.shows('passphrase of enc.key');
      terminal.type('wrong\r');
      assert.deepEqual((await terminal.end)[0], COULD_NOT);
      await terminal.shows('the passphrase does not open enc.key');
    });

    it('on stderr, for stdout is data', async () => {
      const terminal = atTerminal(`${probe.join(' ')} --json > out.json`, cwd);
      await terminal.shows('passphrase of enc.key');
      terminal.type(`${SECRET}\r`);
      await terminal.end;
      assert.equal(typeof JSON.parse(readFileSync(join(cwd, 'out.json'), 'utf8')), 'object');
    });

    it('and not where a flag names one', async () => {
      const terminal = atTerminal(`${probe.join(' ')} --passphrase-file pass.txt`, cwd);
      assert.deepEqual((await terminal.end)[0], OPENED);
      assert.doesNotMatch(terminal.screen(), /passphrase of/);
    });

    it('by a sidecar before it listens', async () => {
      const proxy = probe.with(0, 'proxy').toSpliced(1, 1);
      const terminal = atTerminal(`${proxy.join(' ')} --listen mtls://127.0.0.1:0 --upstream http://127.0.0.1:1 --allow-any`, cwd);
      await terminal.shows('passphrase of enc.key');
      terminal.type(`${SECRET}\r`);
      await terminal.shows('listening on');
      terminal.type('\u0003');
      assert.deepEqual((await terminal.end)[0], 130);
    });

    it('for a PKCS#12 file that is inspected, and not for a key, which is told closed', async () => {
      assert.equal((await mtls(['export', 'p12', 'web', '--passphrase-file', 'pass.txt', '--out', 'seen.p12'], { cwd })).code, 0);
      const terminal = atTerminal('inspect seen.p12 enc.key', cwd);
      await terminal.shows('passphrase of seen.p12');
      terminal.type(`${SECRET}\r`);
      assert.deepEqual((await terminal.end)[0], 0, terminal.screen());
      await terminal.shows('certificate of web');
      assert.doesNotMatch(terminal.screen(), /passphrase of enc\.key/);
    });

    it('twice where it is new, until both are the same', async () => {
      const terminal = atTerminal('export p12 web --out asked.p12', cwd);
      await terminal.shows('new passphrase for');
      terminal.type('\r');
      await terminal.shows('at least one character');
      terminal.type('brand new\r');
      await terminal.shows('the same again');
      terminal.type('brand old\r');
      await terminal.shows('not what was typed before');
      terminal.type('\u0015brand new\r');
      assert.deepEqual((await terminal.end)[0], 0, terminal.screen());
      assert.doesNotMatch(terminal.screen(), /brand/);
      directory.file('brand.txt', 'brand new');
      assert.equal((await mtls(['inspect', 'asked.p12', '--passphrase-file', 'brand.txt'], { cwd })).code, 0);
    });

    for (const [when, typed] of [
      ['at the first', ''],
      ['at the second', 'brand new\r'],
    ] as const)
      it(`and Ctrl-C ${when} question leaves nothing behind`, async () => {
        const before = readdirSync(cwd);
        const terminal = atTerminal('export p12 web --out never.p12', cwd);
        await terminal.shows('new passphrase for');
        if (typed !== '') {
          terminal.type(typed);
          await terminal.shows('the same again');
        }
        terminal.type('\u0003');
        assert.deepEqual((await terminal.end)[0], 130, terminal.screen());
        assert.deepEqual(readdirSync(cwd), before);
      });
  });
});
