import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toPem } from '../dist/pki/pem.js';
import { publicKeyInfo } from '../dist/pki/key.js';
import { OID } from '../dist/pki/oids.js';
import { signCertificate } from '../dist/pki/sign.js';
import { interleave, run, runIn, runTo, scaled } from './measure.js';

const MTLS = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const LEAVES = 10_000;
const DAY = 86_400_000;

/** A root, `LEAVES` certificates of it in a file each, and both batches. */
export function validateMaterial(directory) {
  const path = (name) => join(directory, name);
  mkdirSync(path('leaves'));
  const [notBefore, notAfter] = [new Date(Date.now() - DAY), new Date(Date.now() + 90 * DAY)];
  const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const key = newKey();
  const common = { notBefore, notAfter };
  const usages = { keyUsage: ['keyCertSign', 'cRLSign'], ca: {} };
  const root = signCertificate({ ...common, ...usages, subject: [[OID.commonName, 'root']], publicKey: publicKeyInfo(key) }, { key });
  const rootPem = toPem('CERTIFICATE', root.der);
  writeFileSync(path('root.pem'), rootPem);
  const publicKey = publicKeyInfo(newKey());
  const [verifications, inspections, bare] = [[], [], []];
  for (let i = 0; i < LEAVES; i++) {
    const name = `service${i}`;
    const names = { dns: [name, `${name}.default.svc`], ip: ['127.0.0.1'], uri: [`spiffe://cluster.local/ns/default/sa/${name}`] };
    const leaf = signCertificate(
      {
        ...{ ...common, names, publicKey, subject: [[OID.commonName, name]] },
        ...{ keyUsage: ['digitalSignature'], extendedKeyUsage: [OID.serverAuth, OID.clientAuth] },
      },
      { certificate: root, key },
    );
    const pem = toPem('CERTIFICATE', leaf.der);
    writeFileSync(path(join('leaves', `${i}.pem`)), pem);
    verifications.push(JSON.stringify({ id: name, leaf: pem, roots: [rootPem], purpose: 'server', host: name }));
    inspections.push(JSON.stringify({ id: name, kind: 'certificate', data: leaf.der.toString('base64') }));
    bare.push(`${leaf.tbs.toString('base64')} ${leaf.signature.toString('base64')}`);
  }
  writeFileSync(path('verify.jsonl'), `${verifications.join('\n')}\n`);
  writeFileSync(path('inspect.jsonl'), `${inspections.join('\n')}\n`);
  writeFileSync(path('bare.txt'), `${root.publicKey.der.toString('base64')}\n${bare.join('\n')}\n`);
  return path;
}

const files = Array.from({ length: LEAVES }, (_, i) => `${i}.pem`);

/** Ten thousand leaves of one CA, against OpenSSL in one process and against the bare signatures. */
export function verifyMany(path) {
  const [ours, theirs, bare] = interleave(
    [
      () => runTo('/dev/null', process.execPath, MTLS, 'verify', '--batch', path('verify.jsonl')),
      () => runIn(path('leaves'), 'openssl', 'verify', '-CAfile', path('root.pem'), '-purpose', 'sslserver', ...files),
      () => run(process.execPath, fileURLToPath(new URL('bare-verify.js', import.meta.url)), path('bare.txt')),
    ],
    5,
  );
  const title = `mtls verify --batch, ${LEAVES}`;
  return [
    { title, ours, theirs, against: `openssl verify, ${LEAVES} arguments`, goal: 0.5 },
    { title, ours, theirs: bare, against: `node:crypto, ${LEAVES} bare signatures`, goal: 2 },
  ];
}

/** One chain with nothing loaded yet, against the same command that stops before it looks at anything. */
export function verifyOne(path) {
  const stopped = () => spawnSync(process.execPath, [MTLS, 'verify'], { stdio: 'ignore' });
  const verify = () => run(process.execPath, MTLS, 'verify', path('leaves/0.pem'), '--ca', path('root.pem'), '--purpose', 'server');
  const [ours, theirs] = interleave([verify, stopped], 25, 2);
  return { title: 'mtls verify CERT', ours, theirs, against: 'mtls verify, which stops at its usage', goal: 1.1 };
}

const LOOPED = 100;

/** Ten thousand certificates read and told, against OpenSSL in a loop and against a library in one process. */
export function inspectMany(path) {
  const peculiar = fileURLToPath(new URL('peculiar-read.js', import.meta.url));
  const [ours, theirs, library] = interleave(
    [
      () => runTo('/dev/null', process.execPath, MTLS, 'inspect', '--batch', path('inspect.jsonl')),
      () => files.slice(0, LOOPED).forEach((file) => run('openssl', 'x509', '-text', '-noout', '-in', path(join('leaves', file)))),
      () => run(process.execPath, peculiar, path('inspect.jsonl')),
    ],
    5,
  );
  const title = `mtls inspect --batch, ${LEAVES}`;
  const against = `openssl x509 -text, ${LOOPED} calls scaled × ${LEAVES / LOOPED}`;
  return [
    { title, ours, theirs: scaled(theirs, LEAVES / LOOPED), against, goal: 1 / 40 },
    { title, ours, theirs: library, against: '@peculiar/x509, reading the same' },
  ];
}

/** The most memory that a batch holds, in MB, for so many lines; undefined where the system does not tell. */
export async function memoryOf(path, lines) {
  const text = readFileSync(path('verify.jsonl'));
  const child = spawn(process.execPath, [MTLS, 'verify', '--batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
  let peak;
  const look = () => {
    try {
      const found = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      if (found !== undefined) peak = Number(found) / 1024;
    } catch {
      // gone already, or no such system
    }
  };
  for (let sent = 0; sent < lines; sent += LEAVES) {
    if (!child.stdin.write(text)) await once(child.stdin, 'drain');
    look();
  }
  child.stdin.end();
  const timer = setInterval(look, 20);
  await once(child, 'close');
  clearInterval(timer);
  return peak;
}
