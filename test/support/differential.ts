import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isError } from '../../src/errors.js';
import { type Certificate, readCertificate } from '../../src/pki/certificate.js';
import { readCrl } from '../../src/pki/crl.js';
import { OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import { verify } from '../../src/validate/verify.js';
import { CHAINS_PER_WORLD, randomWorld } from './random-chains.js';
import { temporaryDirectory } from './material.js';
import type { Chain, World } from './variations/story.js';

/** One chain with both answers: what is wrong with it, or nothing. */
export interface Answers {
  readonly id: string;
  readonly labels: readonly string[];
  readonly ours: readonly string[];
  /** Error numbers of OpenSSL, and UNREADABLE or ANOTHER_PATH. */
  readonly theirs: readonly number[];
}

/** OpenSSL could not load the leaf. */
const UNREADABLE = -1;
/** OpenSSL refuses, and accepts when it has no other certificates than those of our path. */
export const ANOTHER_PATH = -2;
/** OpenSSL refuses, and accepts when a CRL may be signed by another certificate of its issuer than the one in the path. */
export const ANOTHER_SIGNER = -3;

/** Asks both about `count` chains, in whole worlds. `only`: with that one variation where it fits, and no other. */
export async function* answers(seed: number, count: number, only?: string): AsyncGenerator<Answers> {
  const directory = temporaryDirectory();
  try {
    let before: Promise<Answers[]> | undefined;
    for (let index = 0; index * CHAINS_PER_WORLD < count; index++) {
      // OpenSSL is asked about one world while the next one is made
      const next = compare(join(directory.path, String(index)), randomWorld(seed, index, only));
      next.catch(() => undefined);
      if (before !== undefined) yield* await before;
      before = next;
    }
    if (before !== undefined) yield* await before;
  } finally {
    directory.remove();
  }
}

/** `directory` is left as OpenSSL saw it, with the command. */
export async function compare(directory: string, { world, chains }: ReturnType<typeof randomWorld>): Promise<Answers[]> {
  const theirs = askOpenssl(world, chains, directory);
  const ours = chains.map((chain) => ourAnswer(world, chain));
  const numbers = await theirs;
  const isOpen = (i: number): boolean => ours[i]!.codes.length === 0 && numbers[i]!.length > 0;
  const again = await askAgain(
    world,
    chains.flatMap((chain, i) => (isOpen(i) ? [{ chain, path: ours[i]!.path, numbers: numbers[i]! }] : [])),
    directory,
  );
  return chains.map((chain, i) => {
    const { codes } = ours[i]!;
    // a refusal tells of the most promising path, which need not be the one that OpenSSL took
    const alone = codes.length > 0 && numbers[i]!.length === 0 ? ourAnswer(world, { ...chain, intermediates: chain.line }).codes : [];
    const isPath = alone.length > 0 && !alone.includes('ISSUER_NOT_FOUND');
    return { id: chain.id, labels: chain.labels, ours: isPath ? alone : codes, theirs: again.get(chain) ?? numbers[i]! };
  });
}

interface Open {
  readonly chain: Chain;
  readonly path: readonly Certificate[];
  readonly numbers: readonly number[];
}

const CRL_NUMBERS: ReadonlySet<number> = new Set([3, 8, 11, 12, 36, 44]);

/** Where OpenSSL alone refuses: does it still when it has our path only, or more freedom with CRLs? */
async function askAgain(world: World, open: readonly Open[], directory: string): Promise<ReadonlyMap<Chain, readonly number[]>> {
  const alone = open.map(({ chain, path }) => {
    const [leaf, ...above] = path.map(({ der }) => der);
    return { ...chain, roots: above.length === 0 ? [leaf!] : above.slice(-1), intermediates: above.slice(0, -1) };
  });
  const byCrl = open.filter(({ numbers }) => numbers.every((number) => CRL_NUMBERS.has(number))).map(({ chain }) => chain);
  const [numbers, free] = await Promise.all([
    askOpenssl(world, alone, join(directory, 'alone')),
    askOpenssl(world, byCrl, join(directory, 'free'), ['-extended_crl']),
  ]);
  return new Map(
    open.map(({ chain }, i) => {
      if (numbers[i]!.length === 0) return [chain, [ANOTHER_PATH]];
      return [chain, free[byCrl.indexOf(chain)]?.length === 0 ? [ANOTHER_SIGNER] : numbers[i]!];
    }),
  );
}

/** What `verify --batch` does with one line (src/validate/batch.ts), without the PEM. */
function ourAnswer(world: World, chain: Chain): { readonly codes: readonly string[]; readonly path: readonly Certificate[] } {
  const unreadable: string[] = [];
  const read = <T>(ders: readonly Buffer[], reader: (der: Buffer) => T, refused?: string[]): T[] =>
    ders.flatMap((der) => {
      try {
        return [reader(der)];
      } catch (error) {
        if (!isError(error, 'CERTIFICATE_MALFORMED') && !isError(error, 'CRL_MALFORMED')) throw error;
        refused?.push(error.code === 'CRL_MALFORMED' ? 'CRL_MALFORMED' : 'CERT_MALFORMED');
        return [];
      }
    });
  const [leaf] = read([chain.leaf], readCertificate, unreadable);
  // what cannot be read is not there; when that is what a path lacks, it is the reason
  const unread: string[] = [];
  const intermediates = read(chain.intermediates, readCertificate, unread);
  const roots = read(chain.roots, readCertificate, unreadable);
  const crls = read(chain.crls, readCrl, unreadable);
  if (leaf === undefined || unreadable.length > 0) return { codes: [...new Set(unreadable)], path: [] };
  const { at, purpose, name, policy, withCrls } = world;
  const { valid, errors, path } = verify({
    ...{ leaf, intermediates, roots, crls, at, revocation: withCrls ? 'required' : 'when given' },
    ...(purpose === undefined ? {} : { purpose }),
    ...(name === undefined ? {} : { name }),
    ...(policy === undefined ? {} : { policy }),
  });
  if (valid !== (errors.length === 0)) throw new Error(`${chain.id}: valid is ${valid}, with ${errors.length} errors`);
  return { codes: valid ? [] : [...new Set(unread.length > 0 ? unread : errors.map(({ code }) => code))], path };
}

/** One process for all the chains: each has names of its own, so that nothing leads from one to another. */
async function askOpenssl(world: World, chains: readonly Chain[], directory: string, more: readonly string[] = []): Promise<number[][]> {
  if (chains.length === 0) return [];
  mkdirSync(directory, { recursive: true });
  const write = (name: string, label: string, ders: readonly Buffer[]): string[] => {
    writeFileSync(join(directory, name), ders.map((der) => toPem(label, der)).join(''));
    return ders.length === 0 ? [] : [name];
  };
  const leaves = chains.flatMap(({ leaf }, i) => write(`${i}.pem`, 'CERTIFICATE', [leaf]));
  const roots = write(
    'roots.pem',
    'CERTIFICATE',
    chains.flatMap((chain) => chain.roots),
  );
  const others = write(
    'others.pem',
    'CERTIFICATE',
    chains.flatMap(({ intermediates }) => intermediates),
  );
  const crls = write(
    'crls.pem',
    'X509 CRL',
    chains.flatMap((chain) => chain.crls),
  );
  const commandLine = [
    ...['verify', '-no-CAfile', '-no-CApath', '-no-CAstore', '-policy_check', '-auth_level', '2'],
    ...['-attime', String(Math.floor(world.at.getTime() / 1000))],
    ...roots.flatMap((file) => ['-CAfile', file]),
    ...others.flatMap((file) => ['-untrusted', file]),
    ...(world.withCrls ? ['-crl_check_all'] : []),
    ...crls.flatMap((file) => ['-CRLfile', file]),
    ...(world.anyAnchors ? ['-partial_chain'] : []),
    ...(world.purpose === undefined ? [] : ['-purpose', `ssl${world.purpose}`]),
    ...Object.entries(world.name ?? {}).flatMap(([kind, value]) => [kind === 'host' ? '-verify_hostname' : '-verify_ip', value]),
    // without one OpenSSL takes the user's policies for none at all, RFC 5280 §6.1.1 (c) for any
    ...(world.policy?.initial ?? [OID.anyPolicy]).flatMap((policy) => ['-policy', policy]),
    ...(world.policy?.explicit === true ? ['-explicit_policy'] : []),
    ...(world.policy?.inhibitMapping === true ? ['-inhibit_map'] : []),
    ...(world.policy?.inhibitAny === true ? ['-inhibit_any'] : []),
    ...more,
    ...leaves,
  ];
  writeFileSync(join(directory, 'command'), `openssl ${commandLine.join(' ')}\n`);
  const { output, complaints } = await run(spawn('openssl', commandLine, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] }));
  if (!NOT_LOADED.test(complaints)) return numbersIn(output, complaints, leaves);
  if (chains.length === 1) return [[UNREADABLE]];
  // one of them spoils it for all: each for itself
  const answered: number[][] = [];
  for (const [i, chain] of chains.entries()) answered.push(...(await askOpenssl(world, [chain], join(directory, String(i)), more)));
  return answered;
}

async function run(child: ChildProcess): Promise<{ output: string; complaints: string }> {
  const [output, complaints] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { output, complaints };
}

/** Who gives OpenSSL an anchor, a certificate or a CRL that it cannot load gets no answer for anything. */
const NOT_LOADED = /^Error loading file (?:roots|others|crls)\.pem$/m;

function numbersIn(output: string, complaints: string, leaves: readonly string[]): number[][] {
  const good = new Set(output.split('\n').flatMap((line) => /^(\d+\.pem): OK$/.exec(line)?.slice(1) ?? []));
  const bad = new Map<string, number[]>();
  let numbers = new Set<number>();
  for (const line of complaints.split('\n')) {
    const number = /^(?:\[CRL path\] )?error (\d+) at \d+ depth lookup/.exec(line)?.[1];
    if (number !== undefined) numbers.add(Number(number));
    const file = /^error (\d+\.pem): verification failed$/.exec(line)?.[1] ?? /^Could not .* (\d+\.pem)$/.exec(line)?.[1];
    if (file === undefined) continue;
    bad.set(file, numbers.size === 0 ? [UNREADABLE] : [...numbers]);
    numbers = new Set();
  }
  return leaves.map((leaf) => {
    const found = bad.get(leaf);
    if (good.has(leaf) === (found === undefined)) return found ?? [];
    throw new Error(`OpenSSL did not answer for ${leaf}:\n${complaints.slice(0, 2000)}`);
  });
}
