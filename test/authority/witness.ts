import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { verifyLedger } from '../../src/authority/ledger/verify-ledger.js';
import { type ServicePaths, servicePaths, workspacePaths } from '../../src/authority/workspace.js';
import { revokedEntries } from '../../src/pki/crl.js';
import { isKeyOf, readPrivateKey } from '../../src/pki/key.js';
import { crlsIn, readCertificates } from '../../src/pki/material.js';

/** A line of the ledger, as far as it is looked at here. */
interface Line {
  readonly event: string;
  readonly serial?: string;
  readonly issuer?: string;
  readonly number?: number;
  readonly reason?: string;
}

/** What a command prints under --json, as far as it promises something that is to be found later. */
interface Said {
  readonly issued?: readonly { readonly serial: string }[];
  readonly revoked?: readonly { readonly serial: string }[];
  readonly released?: readonly { readonly serial: string }[];
  readonly events?: readonly { readonly event: string; readonly serial: string }[];
  readonly crls?: readonly { readonly path: string; readonly number: number }[];
  readonly crl?: { readonly path: string; readonly number: number };
}

/**
 * Looks at a workspace from outside, again and again, and remembers: what was reported must be there, what was seen once must
 * stay. The ledger is read here as lines of JSON, so that it is no judge in its own cause.
 */
export class Witness {
  readonly #paths: ReturnType<typeof workspacePaths>;
  readonly #reported = new Set<string>();
  /** Of the CRL in each file: the highest number that was reported or seen. */
  readonly #numbers = new Map<string, number>();
  #ledger = '';
  #head: string | undefined;

  constructor(directory: string) {
    this.#paths = workspacePaths(directory);
  }

  /** Takes note of what a command printed; of what is not whole, nobody can say that it was reported. */
  hear(stdout: string): void {
    const { issued = [], revoked = [], released = [], events = [], crls = [], crl } = parsed(stdout);
    for (const { serial } of issued) this.#reported.add(report('issued', serial));
    for (const { serial } of revoked) this.#reported.add(report('revoked', serial));
    for (const { serial } of released) this.#reported.add(report('released', serial));
    for (const { event, serial } of events) if (event === 'renewed') this.#reported.add(report('issued', serial));
    for (const { path, number } of [...crls, ...(crl === undefined ? [] : [crl])]) this.#raise(path, number);
  }

  /** How many things were reported. */
  get reports(): number {
    return this.#reported.size;
  }

  /** All that must hold whatever happened, while no command is at work. */
  async check(): Promise<void> {
    const lines = this.#checkLedger();
    const { bad, head } = await verifyLedger(this.#paths.ledger, this.#head);
    assert.equal(bad, null, 'audit verify');
    this.#head = head;
    for (const ca of [this.#paths.root, this.#paths.issuing]) if (existsSync(ca.certificate)) this.#checkCrl(ca, lines);
    const issued = new Set(lines.flatMap(({ event, serial }) => (event === 'issued' ? [serial!] : [])));
    const services = readdirSync(this.#paths.services).map((name) => servicePaths({ paths: this.#paths }, name));
    // what was staged and never shown has a directory already
    const shown = services.filter(({ certificate }) => existsSync(certificate));
    for (const paths of shown) this.#checkService(paths, issued);
    for (const { certificate } of shown) askOpenssl(['verify', '-CAfile', this.#paths.bundle, '-untrusted', certificate], [certificate]);
  }

  /** What must hold when a command has come to its end that writes to all services: nothing half-done is left, and every CRL is the last one. */
  checkSettled(): void {
    const { authority, services, directory, bundle } = this.#paths;
    const odd = (path: string): string[] => readdirSync(path).filter((name) => /lock|tmp/.test(name));
    assert.deepEqual([authority, services, directory].flatMap(odd), [], 'nothing is left lying about');
    for (const name of readdirSync(services)) {
      const files = readdirSync(join(services, name)).map((file) => file.replace(/^\.\.[0-9a-f]{12}$/, '..version'));
      assert.deepEqual(files.sort(), ['..data', '..version', 'ca.crt', 'tls.crt', 'tls.key'], `the files of ${name}`);
      assert.equal(
        readFileSync(join(services, name, 'ca.crt'), 'utf8'),
        readFileSync(bundle, 'utf8'),
        `${name} trusts whom the bundle says`,
      );
    }
    const lines = linesOf(this.#ledger);
    for (const { certificate, crl, key } of [this.#paths.root, this.#paths.issuing])
      // whose key is away signs nothing
      if (existsSync(certificate) && existsSync(key))
        assert.equal(numberIn(crl), numbersOf(lines, idOf(certificate)).at(-1), `${crl} is the last that the ledger knows`);
  }

  #checkLedger(): readonly Line[] {
    const text = readFileSync(this.#paths.ledger, 'utf8');
    // a torn line was never reported
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    assert.ok(whole.startsWith(this.#ledger), 'lines that were seen in the ledger are there no more, or are others');
    this.#ledger = whole;
    const lines = linesOf(whole);
    const noted = new Set(lines.map(({ event, serial = '' }) => report(event, serial)));
    assert.deepEqual(
      [...this.#reported].filter((each) => !noted.has(each)),
      [],
      'what was reported is in the ledger',
    );
    const issued = lines.flatMap(({ event, serial }) => (event === 'issued' || event === 'ca' ? [serial] : []));
    assert.equal(new Set(issued).size, issued.length, 'no serial number twice');
    return lines;
  }

  /** Its number never goes back, openssl reads it, and it says what the ledger said when it was signed. */
  #checkCrl({ certificate, crl: path }: { readonly certificate: string; readonly crl: string }, lines: readonly Line[]): void {
    const number = numberIn(path);
    const seen = this.#numbers.get(path) ?? 0;
    assert.ok(number >= seen, `${path} has number ${number}, and had ${seen}`);
    this.#raise(path, number);
    const issuer = idOf(certificate);
    const numbers = numbersOf(lines, issuer);
    assert.deepEqual(
      numbers,
      [...numbers.keys()].map((i) => i + 1),
      'the CRL numbers in the ledger rise by one',
    );
    const until = lines.findIndex((line) => line.event === 'crl' && line.issuer === issuer && line.number === number);
    assert.ok(until >= 0, `the ledger does not know CRL ${number}`);
    const said = new Map<string, string>();
    for (const { event, serial, reason, ...line } of lines.slice(0, until)) {
      if (line.issuer !== issuer) continue;
      if (event === 'revoked') said.set(serial!, reason!);
      else if (event === 'released') said.delete(serial!);
    }
    const crl = crlsIn(readFileSync(path), path)[0]!;
    const listed = [...revokedEntries(crl)].map(({ serial, reason = 'unspecified' }) => `${serial} ${reason}`);
    assert.deepEqual(listed.sort(), [...said].map(([serial, reason]) => `${serial} ${reason}`).sort(), `what CRL ${number} says`);
    askOpenssl(['crl', '-noout', '-verify', '-CAfile', certificate, '-in'], [path]);
  }

  /** Certificate and key belong together, and the ledger knows the certificate. */
  #checkService({ certificate, key, ca }: ServicePaths, issued: ReadonlySet<string>): void {
    const { serial, publicKey } = readCertificates(certificate)[0]!;
    assert.ok(issued.has(serial), `the ledger does not know ${certificate}`);
    assert.ok(isKeyOf(readPrivateKey(readFileSync(key), key), publicKey), `${key} is that of another certificate`);
    const root = readCertificates(this.#paths.root.certificate)[0]!;
    assert.ok(
      readCertificates(ca).some(({ der }) => der.equals(root.der)),
      `${ca} lacks the root that signs`,
    );
  }

  #raise(path: string, number: number): void {
    this.#numbers.set(path, Math.max(number, this.#numbers.get(path) ?? 0));
  }
}

/** What openssl has accepted already: places are copied, and it takes a process to ask. */
const accepted = new Set<string>();

/** Asks openssl about files, and about the same bytes once. */
function askOpenssl(args: readonly string[], files: readonly string[]): void {
  const asked = files.map((path) => ({ path, bytes: readFileSync(path, 'latin1') })).filter(({ bytes }) => !accepted.has(bytes));
  if (asked.length === 0) return;
  const { status, stdout, stderr } = spawnSync('openssl', [...args, ...asked.map(({ path }) => path)], { encoding: 'utf8' });
  assert.ok(status === 0 && /OK/.test(`${stdout}${stderr}`), `openssl ${args.join(' ')}: ${stdout}${stderr}`);
  for (const { bytes } of asked) accepted.add(bytes);
}

function parsed(stdout: string): Said {
  try {
    return JSON.parse(stdout) as Said;
  } catch {
    return {};
  }
}

/** The ledger has the octets of the INTEGER, people are told the number. */
const report = (event: string, serial: string): string => `${event} ${serial.replace(/^0+/, '')}`;

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

const numbersOf = (lines: readonly Line[], issuer: string): number[] =>
  lines.flatMap((line) => (line.event === 'crl' && line.issuer === issuer ? [line.number!] : []));

const numberIn = (path: string): number => Number(`0x${crlsIn(readFileSync(path), path)[0]!.number}`);
const idOf = (certificate: string): string => readCertificates(certificate)[0]!.subjectKeyId!;
