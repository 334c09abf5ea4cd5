import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interleave, run, scaled } from './measure.js';

const MTLS = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const mtls = (...args) => run(process.execPath, MTLS, ...args);
const bareNode = () => run(process.execPath, '-e', '0');

/** Starting up, against a Node that does nothing. */
export function startUp(directory) {
  const workspace = newWorkspace(directory, 'start-up');
  mtls('issue', 'api', '--workspace', workspace);
  const certificate = join(workspace, '.mtls', 'services', 'api', 'tls.crt');
  const [bare, version, help, inspect] = interleave(
    [bareNode, () => mtls('--version'), () => mtls('--help'), () => mtls('inspect', certificate)],
    25,
    2,
  );
  const against = 'node -e 0';
  return [
    { title: 'mtls --version', ours: version, theirs: bare, against, goal: 1.35 },
    { title: 'mtls --help', ours: help, theirs: bare, against, goal: 3 },
    { title: 'mtls inspect CERT', ours: inspect, theirs: bare, against, goal: 2.5 },
  ];
}

/** One service with its key and certificate on disk, against OpenSSL and the start of Node that we cannot do without. */
export function issueOne(directory) {
  const workspace = newWorkspace(directory, 'one');
  const openssl = opensslCa(directory, 'openssl-one');
  const [ours, theirs] = interleave(
    [
      (round) => mtls('issue', `one${round + 1}`, '--workspace', workspace),
      (round) => {
        openssl(`one${round + 1}`);
        bareNode();
      },
    ],
    15,
  );
  return { title: 'mtls issue one', ours, theirs, against: 'openssl genpkey + req + x509, and node -e 0' };
}

const SERVICES = 1000;
const MEASURED = 50;

/** A thousand services in one command, against a loop over OpenSSL; of that `MEASURED` are run and multiplied, unless `isFull`. */
export function issueMany(directory, isFull) {
  const names = Array.from({ length: SERVICES }, (_, i) => `name${i}`);
  const looped = names.slice(0, isFull ? SERVICES : MEASURED);
  const rounds = Array.from({ length: isFull ? 1 : 3 }, (_, round) => ({
    workspace: newWorkspace(directory, `many${round}`),
    openssl: opensslCa(directory, `openssl-many${round}`),
  }));
  const [ours, theirs] = interleave(
    [
      (round) => mtls('issue', ...names, '--workspace', rounds[round].workspace),
      (round) => looped.forEach((name) => rounds[round].openssl(name)),
    ],
    rounds.length,
    0,
  );
  const against = isFull ? `openssl, ${SERVICES} × 3 calls` : `openssl, ${MEASURED} × 3 calls, scaled × ${SERVICES / MEASURED}`;
  return { title: 'mtls issue name0 … name999', ours, theirs: scaled(theirs, SERVICES / looped.length), against };
}

function newWorkspace(directory, name) {
  const path = join(directory, name);
  mkdirSync(path);
  mtls('init', '--yes', '--workspace', path);
  return path;
}

/** Makes a root with OpenSSL; what is returned issues a certificate with the same names and purposes as ours. */
function opensslCa(directory, name) {
  const path = join(directory, name);
  mkdirSync(path);
  const file = (base) => join(path, base);
  const P256 = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out'];
  run('openssl', ...P256, file('root.key'));
  run('openssl', 'req', '-x509', '-new', '-key', file('root.key'), '-subj', '/CN=root', '-days', '3650', '-out', file('root.crt'));
  return (service) => {
    const [key, csr, extensions] = [file(`${service}.key`), file(`${service}.csr`), file(`${service}.ext`)];
    writeFileSync(
      extensions,
      `basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = URI:spiffe://cluster.local/ns/default/sa/${service}, DNS:${service}, DNS:localhost, IP:127.0.0.1
`,
    );
    run('openssl', ...P256, key);
    run('openssl', 'req', '-new', '-key', key, '-subj', `/CN=${service}`, '-out', csr);
    const ca = ['-CA', file('root.crt'), '-CAkey', file('root.key'), '-CAcreateserial'];
    run('openssl', 'x509', '-req', '-in', csr, ...ca, '-days', '90', '-extfile', extensions, '-out', file(`${service}.crt`));
  };
}
