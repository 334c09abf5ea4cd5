// What `npm pack` would ship: all that is needed, nothing else, and not much of it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const NEEDED = [
  'bin/run.js',
  'bin/package.json',
  'dist/mtls.cjs',
  'dist/validate/batch-process.js',
  'oclif.manifest.json',
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'docs/errors.md',
  'docs/findings.md',
  'docs/lint.md',
  'docs/diagnoses.md',
  'docs/doctor.md',
  'docs/policy.md',
  'docs/rotation.md',
];
const ALLOWED = [
  /^(?:bin\/(?:run\.js|package\.json)|oclif\.manifest\.json|package\.json|[A-Z]+(?:\.md)?)$/,
  /^docs\/[a-z]+\.md$/,
  /^dist\/(?:.+\.js|mtls\.cjs|THIRD_PARTY_LICENSES\.txt)$/,
  /^dist\/.+\.d\.ts$/,
];
const LIMIT_BYTES = 1_100_000; // packed

// a list, or since npm 12 an object
const [pack] = Object.values(
  JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    }),
  ),
);
const files = pack.files.map(({ path }) => path);
const commands = Object.keys(JSON.parse(readFileSync('oclif.manifest.json', 'utf8')).commands);
const needed = [...NEEDED, ...commands.map((id) => `dist/commands/${id.replaceAll(':', '/')}.js`)];

const problems = [
  ...needed.filter((path) => !files.includes(path)).map((path) => `missing: ${path}`),
  ...files.filter((path) => !ALLOWED.some((pattern) => pattern.test(path))).map((path) => `does not belong there: ${path}`),
  ...(pack.size > LIMIT_BYTES ? [`too large: ${pack.size} bytes packed, expected at most ${LIMIT_BYTES}`] : []),
];
for (const problem of problems) console.error(problem);
console.log(`${files.length} files, ${pack.size} bytes packed`);
process.exitCode = problems.length > 0 ? 1 : 0;
