// `npm run bench [-- --full]`: what mtls costs against programs that do the same, in one run on one machine. Wants a build.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { versionOf } from './measure.js';
import { issueMany, issueOne, startUp } from './issue.js';
import { hugeCrl, inMemory, issueAt, listMany, lookUpAt } from './authority.js';
import { inspectMany, memoryOf, validateMaterial, verifyMany, verifyOne } from './validate.js';

const isFull = process.argv.includes('--full');
const directory = mkdtempSync(join(tmpdir(), 'mtls-bench-'));
try {
  const openssl = versionOf('openssl', 'version');
  console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${process.platform}`);
  console.log(`node ${process.version}, ${openssl ?? 'openssl: not found, and what it is compared in is left out'}\n`);
  print(['', 'mtls', 'min–max', 'against', 'takes', 'min–max', 'ratio', 'goal']);
  for (const row of startUp(directory)) show(row);
  const path = validateMaterial(directory);
  show(verifyOne(path));
  if (openssl !== undefined) {
    show(issueOne(directory));
    show(issueMany(directory, isFull));
    for (const row of [...verifyMany(path), ...inspectMany(path)]) show(row);
  }
  const ledger = isFull ? 1_000_000 : 100_000;
  for (const row of [...inMemory(), issueAt(directory, ledger), ...lookUpAt(directory, ledger), listMany(directory)]) show(row);
  const huge = openssl === undefined ? undefined : hugeCrl(directory);
  if (huge !== undefined) show(huge.row);
  const lines = isFull ? 1_000_000 : 200_000;
  const [few, many] = [await memoryOf(path, lines / 10), await memoryOf(path, lines)];
  if (many !== undefined) print(memoryCells(lines, few, many));
  if (huge !== undefined) console.log(huge.signing);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function show({ title, ours, theirs, against, goal }) {
  const ratio = ours.median / theirs.median;
  const verdict = goal === undefined ? '' : `${goal.toFixed(2)} ${ratio <= goal ? '✓' : '✗'}`;
  print([title, time(ours.median), range(ours), against, time(theirs.median), range(theirs), ratio.toFixed(2), verdict]);
}

function memoryCells(lines, few, many) {
  const megabytes = (value) => `${value.toFixed(0)} MB`;
  const against = `the same with ${lines / 10} lines`;
  return [`mtls verify --batch, ${lines}`, megabytes(many), '', against, megabytes(few), '', (many / few).toFixed(2), ''];
}

function print(cells) {
  const widths = [28, 9, 17, 46, 9, 17, 6, 0];
  console.log(
    cells
      .map((cell, i) => (i === 0 || i === 3 || i === 7 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}

function time(ms) {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function range({ min, max }) {
  return `${time(min).replace(/ .*/, '')}–${time(max)}`;
}
