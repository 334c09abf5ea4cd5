#!/usr/bin/env node
// CommonJS, with what V8 compiled kept between runs: without the two a start costs that of a bare Node once more.
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
// the answer to the one question that needs nothing loaded
if (process.argv.length === 3 && process.argv[2] === '--version') {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  process.stdout.write(`mtls/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  void load(join(root, 'dist', 'mtls.cjs')).run(process.argv.slice(2), root);
}

/**
 * The exports of the bundle that scripts/build.js makes. What V8 compiled for a command is kept beside it where one may
 * write: no less trusted than the bundle, as who may write the one may write the other.
 */
function load(bundle) {
  const { Script } = require('node:vm');
  const { createRequire } = require('node:module');
  const command = /^[a-z]{1,20}$/.exec(process.argv[2] ?? '')?.[0] ?? 'help';
  const cache = `${bundle}.${process.version}-${process.arch}.${command}.cache`;
  const cachedData = readIfAny(cache);
  const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle, cachedData });
  const isStale = cachedData === undefined || script.cachedDataRejected;
  // what could not be done is no command, or not all of it was compiled; and what ran long has forgotten how it began
  if (isStale) process.once('exit', (code) => code < 2 && process.uptime() < LONG && keep(cache, script.createCachedData()));
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, createRequire(bundle), loaded, (name) => import(name));
  return loaded.exports;
}

/** Seconds after which V8 may have thrown away what it compiled for the start. */
const LONG = 0.7;

function readIfAny(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Whole or not at all: V8 believes what it finds. */
function keep(path, data) {
  const { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } = require('node:fs');
  const part = `${path}.${process.pid}`;
  try {
    const file = openSync(part, 'wx', 0o644);
    try {
      writeFileSync(file, data);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, path);
  } catch {
    // a package that nobody may write to starts slower; rm, even of nothing, is refused there too
    try {
      rmSync(part, { force: true });
    } catch {}
  }
}
