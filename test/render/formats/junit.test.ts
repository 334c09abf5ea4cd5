import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { renderJunit } from '../../../src/render/formats/junit.js';
import type { Report } from '../../../src/render/formats/report.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { BAD, GOOD, NOTED, UNREAD, hostileReport, reportOf } from './reports.js';

const SCHEMA = fileURLToPath(new URL('schemas/junit.xsd', import.meta.url));

/** How often something stands in a report. */
const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

describe('a report as JUnit XML', () => {
  it('has a case for each check, with one outcome', () => {
    const failure =
      '<failure type="CERT_EXPIRED" message="web: ended 2026-01-01 (and 2 more)">notice LIFE_TOO_LONG: web: 398 days\nerror CERT_EXPIRED: web: ended 2026-01-01\nerror CERT_EXPIRED: ca: ended 2025-01-01</failure>';
    assert.equal(
      renderJunit(reportOf(GOOD, BAD, NOTED, UNREAD)),
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="mtls verify" tests="4" failures="1" errors="1" time="0">',
        '<testsuite name="mtls verify" tests="4" failures="1" errors="1" skipped="0" time="0">',
        '<testcase name="api.crt: api" classname="mtls.verify" time="0"/>',
        '<testcase name="web.crt: web" classname="mtls.verify" time="0">',
        failure,
        '</testcase>',
        '<testcase name="api.crt: api" classname="mtls.verify" time="0">',
        '<system-out>notice LIFE_TOO_LONG: api: 398 days</system-out>',
        '</testcase>',
        '<testcase name="no.crt" classname="mtls.verify" time="0">',
        '<error type="FILE_NOT_FOUND" message="no such file: no.crt"></error>',
        '</testcase>',
        '</testsuite>',
        '</testsuites>',
        '',
      ].join('\n'),
    );
  });

  it('counts what it has, and has no character that XML forbids, whatever the names', () => {
    fc.assert(
      fc.property(hostileReport, (report) => {
        const text = renderJunit(report);
        assert.match(text, /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u);
        assert.equal(count(text, /<testcase /g), report.checks.length);
        const [, tests, failures, errors] = /<testsuite name="[^"]*" tests="(\d+)" failures="(\d+)" errors="(\d+)"/.exec(text)!;
        assert.deepEqual([tests, failures, errors].map(Number), [report.checks.length, count(text, /<failure /g), count(text, /<error /g)]);
        assert.equal(Number(failures) + Number(errors), report.checks.filter(({ good }) => !good).length);
      }),
    );
  });
});

describe('a report as JUnit XML, read by libxml2', () => {
  const directory = temporaryDirectory();
  before(needs('xmllint'));
  after(directory.remove);

  const xmllint = (...args: readonly string[]) => spawnSync('xmllint', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const write = (name: string, report: Report): string => {
    const path = join(directory.path, name);
    writeFileSync(path, renderJunit(report));
    return path;
  };

  it('is well-formed and valid, whatever the names', function () {
    this.timeout(60_000);
    const reports = [reportOf(), reportOf(GOOD, BAD, NOTED, UNREAD), ...fc.sample(hostileReport, 400)];
    const { status, stderr } = xmllint('--noout', '--schema', SCHEMA, ...reports.map((report, i) => write(`${i}.xml`, report)));
    assert.equal(status, 0, stderr.replace(/^.* validates\n/gm, ''));
  });

  it('is read back as it was meant', () => {
    const name = `a\n"b"\t'c' <d> & ]]> \u001b[31m \ud800`;
    const path = write('name.xml', reportOf({ ...BAD, name, findings: [{ code: 'X', severity: 'error', message: name }] }));
    const read = (what: string): string => xmllint('--xpath', `string(${what})`, path).stdout.replace(/\n$/, '');
    assert.equal(read('//testcase/@name'), `a\\u000a"b"\\u0009'c' <d> & ]]> \\u001b[31m \\ud800`);
    assert.equal(read('//failure/@message'), `a\n"b"\t'c' <d> & ]]> \\u001b[31m \\ud800`);
    assert.equal(read('//failure'), `error X: a\n"b"\t'c' <d> & ]]> \\u001b[31m \\ud800`);
  });
});
