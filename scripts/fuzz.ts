/**
 * Fuzzing, guided by coverage: `npm run fuzz -- --target certificate --minutes 10`. Inputs are bent, those that reach
 * new code are kept and bent again. A worker process tries them; this one watches it, for an input may hang it or
 * kill it. A finding goes into fuzz-findings/ with how to see it again, and the end is then 1.
 *
 *     --seed N      the same campaign again (keys of seeds are new each time, but for Ed25519)
 *     --input FILE  that input only
 *     --save        the smallest input for each outcome becomes test/fuzz/corpus/TARGET.jsonl
 *
 * Jazzer.js 4.0 would do the bending and the counting: its prebuilt library asks for a glibc of 2024, it sees CommonJS
 * only, and knows nothing of the lengths in DER, without which hardly an input comes past the first element.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writevSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Finding, Measure } from './fuzz/campaign.js';
import { readCorpus, writeCorpus } from './fuzz/corpus.js';
import { Coverage } from './fuzz/coverage.js';

const SCRIPT = fileURLToPath(import.meta.url);
const FINDINGS = fileURLToPath(new URL('../fuzz-findings/', import.meta.url));
const HANG = 10_000;
/** What is in the file of the current input while it is being measured, in place of its length. */
const MEASURING = 0xffffffff;

const { values: flags } = parseArgs({
  options: {
    target: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    input: { type: 'string' },
    save: { type: 'boolean', default: false },
    // what a worker is told
    worker: { type: 'string' },
    measure: { type: 'boolean', default: false },
  },
});

const SOURCES: Readonly<Record<string, RegExp>> = {
  der: /\/src\/pki\/der\.ts/,
  certificate: /\/src\/(?:pki|validate)\//,
  crl: /\/src\/(?:pki|validate)\//,
  csr: /\/src\/pki\//,
  ocsp: /\/src\/(?:pki|validate)\//,
  'ocsp-request': /\/src\/(?:pki|authority\/ocsp)/,
  pem: /\/src\/(?:pki|validate|base)\//,
  pkcs12: /\/src\/pki\//,
  ledger: /\/src\/(?:authority\/ledger|base\/json)/,
};

const target = flags.target ?? '';
const sources = SOURCES[target];
if (sources === undefined) {
  console.error(`usage: npm run fuzz -- --target ${Object.keys(SOURCES).join('|')} [--minutes M] [--seed N] [--input FILE] [--save]`);
  process.exitCode = 2;
} else if (flags.measure) await measureOne();
else if (flags.input !== undefined) await showOne(flags.input);
else if (flags.worker !== undefined) await work(sources, flags.worker);
else await watch();

/** What the worker says. */
type Message =
  | { readonly kept: Buffer }
  | { readonly finding: Finding }
  | { readonly executions: number; readonly corpus: number; readonly blocks: number; readonly outcomes?: ReadonlyMap<string, Buffer> };

/** Watches workers until the time is over, and says in one line what came of it. */
async function watch(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mtls-fuzz-'));
  const current = join(directory, 'current');
  const start = performance.now();
  const end = start + Number(flags.minutes) * 60_000;
  const kept: Buffer[] = [];
  const findings = new Map<string, Finding>();
  const report = (finding: Finding): void => {
    if (!findings.has(finding.key)) console.error(`${finding.kind}: ${finding.key}`);
    findings.set(finding.key, finding);
    writeFinding(finding);
  };
  let [executions, corpus, blocks] = [0, 0, 0];
  for (let round = 0; performance.now() < end - 1_000; round++) {
    writeFileSync(current, Buffer.alloc(8));
    const before = executions;
    const worker = fork(SCRIPT, ['--target', target, '--worker', current, '--seed', String(Number(flags.seed) + round)], {
      execArgv: ['--import=tsx', '--expose-gc', '--max-old-space-size=1024'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let errors = '';
    worker.stderr!.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-4_000)));
    worker.on('message', (message: Message) => {
      if ('kept' in message) kept.push(message.kept);
      else if ('finding' in message) report(message.finding);
      else {
        [executions, corpus, blocks] = [before + message.executions, message.corpus, message.blocks];
        if (message.outcomes !== undefined && flags.save) writeCorpus(target, message.outcomes);
      }
    });
    worker.send({ kept, end: end - performance.now() });
    const ended = await endOf(worker, current, end + 15_000);
    if (ended === 'done') break;
    if (ended === 'crash' && stateIn(current).count === 0) {
      console.error(errors);
      process.exitCode = 2;
      break;
    }
    const input = inputIn(current);
    if (ended === 'hang' && measureAlone(input).milliseconds <= 1_000) continue;
    report({ kind: ended, key: ended, input, detail: ended === 'hang' ? `no answer within ${HANG} ms` : errors });
  }
  rmSync(directory, { recursive: true });
  const seconds = (performance.now() - start) / 1000;
  const rate = Math.round(executions / seconds);
  console.log(
    `${target}: ${executions} executions, ${rate}/s, corpus ${corpus}, ${blocks} blocks, ${findings.size} findings (seed ${flags.seed})`,
  );
  if (findings.size > 0) process.exitCode = 1;
}

/** Waits for the worker; one that stays with an input for too long is killed, and one that does not stop when it should. */
async function endOf(worker: ChildProcess, current: string, end: number): Promise<'done' | 'hang' | 'crash'> {
  return new Promise((resolve) => {
    let seen = -1;
    let since = performance.now();
    let hung = false;
    const watchdog = setInterval(() => {
      const { count, length } = stateIn(current);
      if (count !== seen) [seen, since] = [count, performance.now()];
      hung = performance.now() - since > (length === MEASURING || count === 0 ? 6 * HANG : HANG);
      if (hung || performance.now() > end) worker.kill('SIGKILL');
    }, 500);
    worker.once('exit', (status) => {
      clearInterval(watchdog);
      resolve(hung ? 'hang' : status === 0 || performance.now() > end ? 'done' : 'crash');
    });
  });
}

function stateIn(current: string): { readonly count: number; readonly length: number } {
  const header = Buffer.alloc(8);
  const file = openSync(current, 'r');
  readSync(file, header, 0, 8, 0);
  closeSync(file);
  return { count: header.readUInt32BE(0), length: header.readUInt32BE(4) };
}

function inputIn(current: string): Buffer {
  const { length } = stateIn(current);
  const bytes = readFileSync(current).subarray(8);
  return length === MEASURING ? bytes : bytes.subarray(0, length);
}

/** Tries inputs until the time is over. Each is in a file before it is tried: whoever watches must have it when this process is no more. */
async function work(counted: RegExp, current: string): Promise<void> {
  const coverage = new Coverage(counted);
  // loaded now: only what is loaded after the counting began is counted by blocks
  const { Campaign } = await import('./fuzz/campaign.js');
  const { TARGETS } = await import('./fuzz/targets.js');
  const file = openSync(current, 'r+');
  const header = Buffer.alloc(8);
  let count = 0;
  const before = (input: Buffer): void => {
    header.writeUInt32BE(++count >>> 0, 0);
    header.writeUInt32BE(input.length, 4);
    writevSync(file, [header, input], 0);
  };
  const measure: Measure = (input) => {
    header.writeUInt32BE(MEASURING, 4);
    writevSync(file, [header], 0);
    return measureAlone(input);
  };
  const say = (message: Message): boolean => process.send!(message);
  const { kept, end } = await new Promise<{ kept: Uint8Array[]; end: number }>((resolve) => process.once('message', resolve));
  const stop = performance.now() + end;
  const found = (finding: Finding): void => void say({ finding });
  const running = TARGETS[target as keyof typeof TARGETS];
  const campaign = new Campaign(running, {
    seed: Number(flags.seed),
    coverage,
    measure,
    before,
    found,
    kept: (input) => void say({ kept: input }),
  });
  campaign.plant([...running.seeds(), ...readCorpus(target).map(({ data }) => data), ...kept.map((bytes) => Buffer.from(bytes))]);
  let told = 0;
  while (performance.now() < stop) {
    campaign.step();
    if (performance.now() < told + 1_000) continue;
    told = performance.now();
    say({ executions: campaign.executions, corpus: campaign.corpus, blocks: coverage.size });
    // lets what is said get out
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { executions, corpus, outcomes } = campaign;
  process.send!({ executions, corpus, blocks: coverage.size, outcomes } satisfies Message, undefined, undefined, () =>
    process.disconnect(),
  );
}

/** The cost of an input in a process of its own, which has done nothing else. */
function measureAlone(input: Buffer): ReturnType<Measure> {
  const parameters = ['--import=tsx', '--expose-gc', SCRIPT, '--target', target, '--measure'];
  const { stdout, status } = spawnSync(process.execPath, parameters, { input, timeout: 4 * HANG, killSignal: 'SIGKILL' });
  return status === 0 ? (JSON.parse(stdout.toString()) as ReturnType<Measure>) : { milliseconds: 4 * HANG, megabytes: 0 };
}

async function measureOne(): Promise<void> {
  const { examine, measureHere } = await import('./fuzz/campaign.js');
  const { TARGETS } = await import('./fuzz/targets.js');
  const measured = TARGETS[target as keyof typeof TARGETS];
  for (const seed of measured.seeds()) examine(measured, seed);
  console.log(JSON.stringify(measureHere(measured, readFileSync(0))));
}

async function showOne(path: string): Promise<void> {
  const { examine, measureHere } = await import('./fuzz/campaign.js');
  const { TARGETS } = await import('./fuzz/targets.js');
  const shown = TARGETS[target as keyof typeof TARGETS];
  const input = readFileSync(path);
  const { outcome, finding } = examine(shown, input);
  const { milliseconds, megabytes } = measureHere(shown, input);
  console.log(`${finding?.detail ?? outcome}\n${milliseconds.toFixed(1)} ms, ${megabytes.toFixed(0)} MB`);
  if (finding !== undefined) process.exitCode = 1;
}

function writeFinding({ kind, key, input, detail }: Finding): void {
  mkdirSync(FINDINGS, { recursive: true });
  const slug = key.replace(/[^a-zA-Z0-9]+/g, '-').slice(0, 80);
  const path = join(FINDINGS, `${target}-${slug}`);
  writeFileSync(`${path}.bin`, input);
  writeFileSync(
    `${path}.txt`,
    `${kind}: ${key}\nseed ${flags.seed}\nnpm run fuzz -- --target ${target} --input ${path}.bin\n\n${detail}\n`,
  );
}
