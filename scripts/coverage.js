// Prints what share of the lines of each room the tests ran, and fails where a floor is broken. Reads what c8 wrote.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The rooms that everything else stands on. */
const FLOORS = { pki: 95, validate: 95, authority: 95 };

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { total, ...files } = JSON.parse(readFileSync(new URL('../coverage/coverage-summary.json', import.meta.url), 'utf8'));

const rooms = new Map();
for (const [path, { lines }] of Object.entries(files)) {
  const [, room] = relative(ROOT, path).split(/[\\/]/);
  const sum = rooms.get(room) ?? { covered: 0, total: 0 };
  rooms.set(room, { covered: sum.covered + lines.covered, total: sum.total + lines.total });
}

// rounded down: 94.96 is not 95
const percent = ({ covered, total }) => Math.floor((1000 * covered) / total) / 10;
console.log('lines that the tests ran');
for (const [room, lines] of [...rooms].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const floor = FLOORS[room];
  const isLow = floor !== undefined && percent(lines) < floor;
  console.log(`  ${room.padEnd(10)} ${percent(lines).toFixed(1).padStart(5)} %${isLow ? `  ✗ at least ${floor} % wanted` : ''}`);
  if (isLow) process.exitCode = 1;
}
for (const room of Object.keys(FLOORS).filter((name) => !rooms.has(name))) {
  console.log(`  ${room.padEnd(10)} was not measured`);
  process.exitCode = 1;
}
console.log(`  ${'all'.padEnd(10)} ${percent(total.lines).toFixed(1).padStart(5)} %`);
