// What somebody gets who installs the package and uses it from TypeScript: with types that compile by themselves under the
// strictest settings, without those that only building it needs, and modules that load. Without network.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const { name, exports, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.keys(exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => path.replace('.', name));

const CONSUMER = `
import { type ErrorCode, MtlsError, isError } from '${name}/errors';
import { type Certificate, type Crl, certificatesIn, crlsIn, readCertificate, readCertificates, verify } from '${name}/validate';

const pem: Buffer = Buffer.from('');
const roots: Certificate[] = [...certificatesIn(pem, 'ca.crt'), ...readCertificates('ca.crt'), readCertificate(pem)];
const crls: Crl[] = crlsIn(pem, 'ca.crl');
export const verdict: boolean = verify({ leaf: roots[0]!, roots, intermediates: [], crls, at: new Date() }).valid;
export const why = (error: unknown): ErrorCode | undefined =>
  isError(error, 'FILE_EMPTY') ? error.code : error instanceof MtlsError ? error.code : undefined;
`;
const SETTINGS = {
  compilerOptions: {
    ...{ strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    ...{ target: 'ES2022', module: 'NodeNext', moduleResolution: 'NodeNext', types: ['node'] },
  },
  files: ['consumer.ts', 'all.ts'],
};

const directory = mkdtempSync(join(tmpdir(), 'mtls-consumer-'));
try {
  install();
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(SETTINGS));
  writeFileSync(join(directory, 'consumer.ts'), CONSUMER);
  const all = entries.map((entry, i) => `export * as e${i} from '${entry}';`).join('\n');
  writeFileSync(join(directory, 'all.ts'), all);
  writeFileSync(
    join(directory, 'all.js'),
    `import * as all from '${entries[0]}';\n${all}\nif (Object.keys(all).length === 0) throw new Error('nothing');`,
  );
  run('its types', [resolve('node_modules/typescript/bin/tsc'), '-p', directory]);
  run('its modules', ['all.js']);
  if (!process.exitCode) console.log(`${entries.length} entries: ${entries.join(', ')}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** As npm would, from what is installed here: the package, and what it depends on. */
function install() {
  const options = { stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory], options);
  const tarball = readdirSync(directory).find((file) => file.endsWith('.tgz'));
  const own = join(directory, 'node_modules', name);
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', join(directory, tarball), '-C', own, '--strip-components=1']);
  for (const dependency of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    const link = join(directory, 'node_modules', dependency);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(resolve('node_modules', dependency), link, 'junction');
  }
}

function run(what, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${what} are of no use outside:\n${stdout}${stderr}`.trimEnd());
  process.exitCode = 1;
}
