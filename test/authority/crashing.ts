import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Random } from '../../scripts/fuzz/random.js';
import { workspacePaths } from '../../src/authority/workspace.js';
import { temporaryDirectory } from '../support/material.js';
import { MTLS, plainEnvironment } from '../support/session.js';
import type { Fault, Strike } from './faults.js';
import { staleLock } from './processes.js';
import { Witness } from './witness.js';

/** What befalls a command: it is killed so many milliseconds after its start, or a fault strikes at a call, or nothing does. */
export type Fate = { readonly killAfter: number } | { readonly strike: Strike } | 'whole';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** The names of the calls that changed the file system, when they were asked for and it came to its end. */
  readonly calls: readonly string[];
}

/** The built program, and what can befall it. */
export async function crashingProgram() {
  const own = temporaryDirectory();
  const preload = join(own.path, 'striking.cjs');
  const entry = fileURLToPath(new URL('striking.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile: preload, bundle: true, platform: 'node', format: 'cjs', target: 'node20' });
  let noted = 0;
  const run = (cwd: string, args: readonly string[], fate: Fate = 'whole', wantsCalls = false): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const strike = typeof fate === 'object' && 'strike' in fate ? fate.strike : undefined;
      const calls = join(own.path, `calls${noted++}`);
      const env = {
        ...{ ...plainEnvironment(), NODE_V8_COVERAGE: '' },
        ...(strike === undefined ? {} : { MTLS_STRIKE: JSON.stringify(strike) }),
        ...(wantsCalls ? { MTLS_CALLS: calls } : {}),
      };
      const start = performance.now();
      const preloaded = strike !== undefined || wantsCalls ? ['-r', preload] : [];
      const child = spawn(process.execPath, [...preloaded, MTLS, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const timer = typeof fate === 'object' && 'killAfter' in fate ? setTimeout(() => child.kill('SIGKILL'), fate.killAfter) : undefined;
      child.on('error', reject).on('close', (code) => {
        clearTimeout(timer);
        const came = existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').slice(0, -1) : [];
        rmSync(calls, { force: true });
        resolve({ code, stdout, stderr, milliseconds: performance.now() - start, calls: came });
      });
    });
  return { run, remove: own.remove };
}

export type Program = Awaited<ReturnType<typeof crashingProgram>>;

/** The passphrase of closed keys, beside the workspace, for every command that may need it. */
const PASS = 'pass';
const WITH_PASS = ['--passphrase-file', PASS];
const LOST_FILES = { ENOSPC: 'DISK_FULL', EIO: 'FILE_NOT_WRITABLE', EROFS: 'FILE_NOT_WRITABLE' } as const;

/** A workspace in a directory of its own, on which commands are run whatever befalls them, and its witness. */
export class Place {
  readonly directory: string;
  readonly witness: Witness;
  readonly #program: Program;
  /** What was run, and how it ended, for whoever looks for the reason of a finding. */
  readonly history: string[] = [];
  #sealed = 0;

  constructor(directory: string, program: Program) {
    this.directory = directory;
    this.#program = program;
    this.witness = new Witness(join(directory, '.mtls'));
  }

  /** A new one; with an issuing CA the key of the root can go away and come back. */
  static async create(directory: string, program: Program, options: { readonly issuingCa: boolean }): Promise<Place> {
    const place = new Place(directory, program);
    writeFileSync(join(directory, PASS), 'a passphrase\n', { mode: 0o600 });
    await place.run(['init', '--yes', '--trust-domain', 'shop.test', ...(options.issuingCa ? ['--issuing-ca'] : [])]);
    await place.run(['issue', ...SERVICES.slice(0, 3)]);
    await place.run(['revoke', 'db', '--reason', 'certificateHold']);
    return place;
  }

  /** The same in another directory, as it is now. */
  copy(to: string): Place {
    cpSync(this.directory, to, { recursive: true, verbatimSymlinks: true });
    return new Place(to, this.#program);
  }

  /** Somebody was killed here who held the lock, while breaking that of another one. */
  leaveLock(): void {
    for (const name of ['lock', 'lock.break']) writeFileSync(join(this.directory, '.mtls/authority', name), (lock ??= staleLock()));
  }

  /**
   * Runs a command, and hears what it reports. Killed it may be; refused a write, it must say so, and by no other name; let be,
   * it must do what it was asked for.
   */
  async run(args: readonly string[], fate: Fate = 'whole', wantsCalls = false): Promise<Ended> {
    const ended = await this.#program.run(this.directory, [...args, ...(opensKeys(args) ? WITH_PASS : []), '--json'], fate, wantsCalls);
    const { code, stdout, stderr } = ended;
    this.history.push(`mtls ${args.join(' ')}  # ${JSON.stringify(fate)}: ${code ?? 'killed'}`);
    this.witness.hear(stdout);
    const refused =
      typeof fate === 'object' && 'strike' in fate && fate.strike.fault in LOST_FILES ? LOST_FILES[fate.strike.fault as 'EIO'] : undefined;
    const said = `${code ?? 'killed'}: ${stdout.slice(0, 2_000)}${stderr.slice(0, 2_000)}`;
    // what was revoked is renewed by nobody
    const isDone = code === 0 || (code === 1 && stdout.includes('"NOT_RENEWABLE"'));
    if (fate === 'whole') assert.ok(isDone, said);
    else if (refused === undefined) assert.ok(code === null || isDone, said);
    else assert.ok(isDone || (code !== null && code <= 2 && stdout.includes(`"${refused}"`)), said);
    return ended;
  }

  /** Reopens it after whatever befell it: what is half-done is invisible, or the next command completes it. */
  async survive(): Promise<void> {
    await this.witness.check();
    this.assertRootKey();
    await this.run(['issue', ...this.#directories()]);
    await this.witness.check();
    this.witness.checkSettled();
  }

  /** The key of the root is in the workspace, or in a file that it was sealed into. */
  assertRootKey(): void {
    assert.ok(this.#isRootHere() || this.#sealedInto() !== undefined, 'the key of the root is lost');
  }

  /** Those that have files to be seen. */
  services(): string[] {
    return this.#directories().filter((name) => existsSync(join(this.directory, '.mtls/services', name, 'tls.crt')));
  }

  readonly #directories = (): string[] => readdirSync(join(this.directory, '.mtls/services')).sort();

  /** A command that can be done here now: real ones, in random order. */
  randomCommand(random: Random): string[] {
    if (random.oneIn(10)) return random.oneIn(2) ? this.#moveRoot() : ['authority', 'passphrase', ...random.pick(NEW_PASSPHRASES)];
    const there = random.pick(this.services());
    const held = this.#onHold();
    return random.pick([
      ['issue', random.pick(SERVICES)],
      ['issue', ...new Set([1, 2, 3, 4].map(() => random.pick(SERVICES)))],
      ['renew', there],
      ['renew', there, '--same-key'],
      ['renew', there, '--revoke-old'],
      ['revoke', there, '--reason', random.pick(['superseded', 'keyCompromise'])],
      ['revoke', there, '--reason', 'certificateHold'],
      held === undefined ? ['crl'] : ['revoke', held, '--lift-hold'],
      ['crl'],
    ]);
  }

  #moveRoot(): string[] {
    if (!existsSync(join(this.directory, '.mtls/authority/issuing.key'))) return ['crl'];
    if (!this.#isRootHere()) return ['authority', 'unseal', this.#sealedInto()!];
    return ['authority', 'seal', '--out', `root${this.#sealed++}.key`, '--new-passphrase-file', PASS];
  }

  readonly #isRootHere = (): boolean => existsSync(workspacePaths(join(this.directory, '.mtls')).root.key);
  readonly #sealedInto = (): string | undefined => readdirSync(this.directory).find((name) => /^root\d+\.key$/.test(name));

  /** A certificate that is on hold, by its serial number. */
  #onHold(): string | undefined {
    const held = new Set<string>();
    for (const line of readFileSync(join(this.directory, '.mtls/authority/ledger.jsonl'), 'utf8').split('\n').slice(0, -1)) {
      const { event, serial, reason } = JSON.parse(line) as { readonly event: string; readonly serial: string; readonly reason?: string };
      if (event === 'revoked' && reason === 'certificateHold') held.add(serial);
      else if (event === 'revoked' || event === 'released') held.delete(serial);
    }
    return [...held].at(-1);
  }
}

let lock: string | undefined;

const NEW_PASSPHRASES = [['--remove'], ['--new-passphrase-file', PASS]];
const SERVICES = ['api', 'db', 'web', 'cart', 'mail', 'jobs'];

const opensKeys = ([first, second]: readonly string[]): boolean => first !== 'init' && second !== 'verify';

/** Faults that strike at a call: a write can be torn as well. */
export const faultsAt = (call: string): readonly Fault[] => [
  'kill',
  ...(call === 'writeSync' || call === 'writeFileSync' ? (['tear'] as const) : []),
];

/** Faults by which the system refuses a call; a file system that went read-only stays so. */
export const REFUSALS = [
  { fault: 'ENOSPC', lasting: false },
  { fault: 'EIO', lasting: false },
  { fault: 'EROFS', lasting: true },
] as const satisfies readonly Omit<Strike, 'at'>[];

/** How long a command takes, about, in milliseconds: instants at random are drawn from it. */
const USUAL = 100;

/** What befalls a command at random: half of them are killed at any instant, the others at a call, or refused one, or let be. */
export function randomFate(random: Random): Fate {
  const kind = random.below(20);
  // what comes first is starting up, which changes nothing
  if (kind < 10) return { killAfter: USUAL / 4 + random.below(USUAL) };
  const at = random.below(60);
  if (kind < 14) return { strike: { fault: random.pick(['kill', 'tear']), at } };
  return kind < 17 ? { strike: { ...random.pick(REFUSALS), at } } : 'whole';
}
