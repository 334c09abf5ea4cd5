import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

// it alone costs a start of Node 30 ms
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

/** Runs a program to its end; throws when it fails, so that no failure is measured. */
export const run = (command, ...args) => start(command, args, {});

/** The same in another directory. */
export const runIn = (cwd, command, ...args) => start(command, args, { cwd });

/** The same with its output in a file. */
export function runTo(path, command, ...args) {
  const file = openSync(path, 'w');
  try {
    start(command, args, { stdout: file });
  } finally {
    closeSync(file);
  }
}

function start(command, args, { cwd, stdout = 'ignore' }) {
  const { status, error, stderr } = spawnSync(command, args, { env, cwd, stdio: ['ignore', stdout, 'pipe'], encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${[command, ...args].join(' ').slice(0, 200)} ended with ${status}: ${stderr}`);
}

/** The first line that a program prints, or undefined when it is not installed. */
export function versionOf(command, ...args) {
  const { error, stdout } = spawnSync(command, args, { env, encoding: 'utf8' });
  return error === undefined ? stdout.split('\n')[0] : undefined;
}

/**
 * Times each of `works` once a round, in turn: what slows the machine for a while slows all of them. The first `warmUps`
 * rounds do not count. Median, least and most, in milliseconds.
 */
export function interleave(works, rounds, warmUps = 1) {
  const times = works.map(() => []);
  for (let round = -warmUps; round < rounds; round++) {
    works.forEach((work, i) => {
      const start = performance.now();
      work(round);
      const ms = performance.now() - start;
      if (round >= 0) times[i].push(ms);
    });
  }
  return times.map(summary);
}

export function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** The same times, for `factor` times the work. */
export const scaled = ({ median, min, max }, factor) => ({ median: median * factor, min: min * factor, max: max * factor });
