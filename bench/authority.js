import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { signCertificate, signCrl } from '../dist/pki/sign.js';
import { generateKey, publicKeyInfo } from '../dist/pki/key.js';
import { newKeyPair } from '../dist/pki/key-write.js';
import { OID } from '../dist/pki/oids.js';
import { interleave, run, runTo } from './measure.js';

const MTLS = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const DAY = 86_400_000;
const SERVICES = 2_000;

/** Certificates with their keys in memory, against node:crypto making as many keys and signatures, and against another library. */
export function inMemory() {
  const [ours, theirs, limit] = interleave(
    [
      () => issueInMemory(SERVICES),
      () => run(process.execPath, here('./peculiar-issue.js'), String(SERVICES)),
      () => bareKeysAndSignatures(SERVICES),
    ],
    3,
  );
  const title = `certificates with keys, ${SERVICES} in memory`;
  return [
    { title, ours, theirs, against: '@peculiar/x509, starting included', goal: 1 / 3 },
    { title, ours, theirs: limit, against: 'node:crypto, as many keys and signatures', goal: 3 },
  ];
}

function issueInMemory(count) {
  const { certificate, key } = newRoot();
  for (let i = 0; i < count; i++) {
    const name = `service${i}`;
    signCertificate(
      {
        ...{ subject: [[OID.commonName, name]], publicKey: newKeyPair('ecdsa-p256').publicKey },
        ...{ notBefore: new Date(), notAfter: new Date(Date.now() + DAY), keyUsage: ['digitalSignature'] },
        ...{ extendedKeyUsage: [OID.serverAuth, OID.clientAuth], names: { dns: [name], ip: ['127.0.0.1'], uri: [`spiffe://x/${name}`] } },
      },
      { certificate, key },
    );
  }
}

function bareKeysAndSignatures(count) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tbs = randomBytes(500);
  for (let i = 0; i < count; i++) {
    generateKeyPairSync('ec', { namedCurve: 'P-256' });
    sign('sha256', tbs, privateKey);
  }
}

function newRoot() {
  const key = generateKey('ecdsa-p256');
  const dates = { notBefore: new Date(), notAfter: new Date(Date.now() + 30 * DAY) };
  const template = {
    subject: [[OID.commonName, 'root']],
    publicKey: publicKeyInfo(key),
    ...dates,
    ca: {},
    keyUsage: ['keyCertSign', 'cRLSign'],
  };
  return { certificate: signCertificate(template, { key }), key };
}

/** One service in a workspace whose ledger has `lines` lines, against the same where it has a hundred. */
export function issueAt(directory, lines) {
  const [many, few] = [workspaceOf(directory, lines), workspaceOf(directory, 100)];
  const issue = (workspace) => (round) => run(process.execPath, MTLS, 'issue', `new${round + 1}`, '--workspace', workspace);
  const [ours, theirs] = interleave([issue(many), issue(few)], 9);
  return { title: `mtls issue one, ${lines} in the ledger`, ours, theirs, against: 'the same with 100', goal: 1.3 };
}

/** A service revoked, and a certificate looked up, in a ledger that has an index of so many lines, against the same with a thousand. */
export function lookUpAt(directory, lines) {
  const [many, few] = [workspaceOf(directory, lines), workspaceOf(directory, 1_000)];
  const known = new Map([many, few].map((workspace) => [workspace, serialsIn(workspace)]));
  // who comes first makes the index
  run(process.execPath, MTLS, 'crl', '--workspace', many);
  const revoke = (workspace) => (round) => run(process.execPath, MTLS, 'revoke', `s${round + 1}`, '--workspace', workspace);
  const inspect = (workspace) => (round) =>
    run(process.execPath, MTLS, 'inspect', known.get(workspace).at(round), '--workspace', workspace);
  return [
    [revoke, 'revoke one'],
    [inspect, 'inspect SERIAL'],
  ].map(([act, title]) => {
    const [ours, theirs] = interleave([act(many), act(few)], 9);
    return { title: `mtls ${title}, ${lines} in the ledger`, ours, theirs, against: 'the same with 1000', goal: 1.3 };
  });
}

/** Of the first lines. */
function serialsIn(workspace) {
  const start = Buffer.alloc(100_000);
  const file = openSync(ledgerOf(workspace));
  readSync(file, start);
  closeSync(file);
  return [...start.toString('latin1').matchAll(/"issued","at":"[^"]*","serial":"([0-9a-f]+)"/g)].map(([, serial]) => serial);
}

/** Listing a long ledger in a cold process, against one that only parses its lines. */
export function listMany(directory) {
  const lines = 100_000;
  const workspace = workspaceOf(directory, lines);
  const parse = "for (const line of require('node:fs').readFileSync(process.argv[1], 'utf8').split('\\n')) if (line) JSON.parse(line)";
  const [ours, theirs] = interleave(
    [
      () => runTo('/dev/null', process.execPath, MTLS, 'list', '--json', '--workspace', workspace),
      () => run(process.execPath, '-e', parse, ledgerOf(workspace)),
    ],
    3,
  );
  return { title: `mtls list --json, ${lines} in the ledger`, ours, theirs, against: 'node, JSON.parse of each line', goal: 3 };
}

const ledgerOf = (workspace) => join(workspace, '.mtls', 'authority', 'ledger.jsonl');

/** A workspace whose ledger has `lines` more lines than it needs, each carrying the hash of the one before. */
function workspaceOf(directory, lines) {
  const workspace = join(directory, `ledger${lines}-${randomBytes(3).toString('hex')}`);
  mkdirSync(workspace);
  run(process.execPath, MTLS, 'init', '--yes', '--workspace', workspace);
  run(process.execPath, MTLS, 'issue', 'api', '--workspace', workspace);
  const path = ledgerOf(workspace);
  const last = readFileSync(path, 'utf8').trim().split('\n').at(-1);
  const { by, prev: _, ...model } = JSON.parse(last);
  const hash = (line) => createHash('sha256').update(line).digest('hex');
  let prev = hash(last);
  const file = openSync(path, 'a');
  let pending = '';
  for (let i = 0; i < lines; i++) {
    const serial = `4${randomBytes(16).toString('hex').slice(1)}`;
    const line = JSON.stringify({ ...model, serial, name: `s${i}`, uri: `spiffe://cluster.local/ns/default/sa/s${i}`, by, prev });
    prev = hash(line);
    pending += `${line}\n`;
    if (pending.length > 1 << 20 || i === lines - 1) {
      writeSync(file, pending);
      pending = '';
    }
  }
  closeSync(file);
  return workspace;
}

const REVOKED = 1_000_000;

/** A CRL of a million entries: what it takes in a process of its own, and finding a serial number in it. */
export function hugeCrl(directory) {
  const path = join(directory, 'huge.crl');
  const serial = (i) => `4${i.toString(16).padStart(31, '0')}`;
  const now = Date.now();
  function* revoked() {
    for (let i = 0; i < REVOKED; i++)
      yield { serial: serial(i), date: new Date(now - (i % 1000) * 60_000), reason: i % 3 === 0 ? 'keyCompromise' : 'superseded' };
  }
  const root = newRoot();
  const before = process.cpuUsage();
  const crl = signCrl({ number: 1n, thisUpdate: new Date(now), nextUpdate: new Date(now + DAY), revoked: revoked() }, root);
  const { user, system } = process.cpuUsage(before);
  const hashing = process.cpuUsage();
  sign('sha256', crl.tbs, root.key);
  const hashed = process.cpuUsage(hashing);
  writeFileSync(path, crl.der);
  const last = serial(REVOKED - 1);
  const [ours, theirs] = interleave(
    [
      () => runBad(process.execPath, MTLS, 'crl', 'check', last, '--crl', path),
      () => run('sh', '-c', `openssl crl -inform DER -in ${path} -noout -text | grep -i ${last}`),
    ],
    3,
  );
  const cpu = (user + system - hashed.user - hashed.system) / 1e6;
  return {
    row: { title: 'mtls crl check, 1000000 entries', ours, theirs, against: 'openssl crl -text | grep', goal: 0.2 },
    signing: `a CRL of ${REVOKED} entries signed: ${cpu.toFixed(2)} s of processor time beyond its hash and signature (goal 1)`,
  };
}

/** Found is bad. */
function runBad(...command) {
  try {
    run(...command);
  } catch (error) {
    if (!/ended with 1:/.test(error.message)) throw error;
  }
}
