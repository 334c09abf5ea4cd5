import assert from 'node:assert/strict';
import fc from 'fast-check';
import { inOneLine, printable } from '../../../src/render/formats/characters.js';
import { placeOf } from '../../../src/render/formats/paths.js';
import { renderTap } from '../../../src/render/formats/tap.js';
import { BAD, GOOD, NOTED, SETTING, UNREAD, hostileReport, reportOf } from './reports.js';

interface Point {
  readonly ok: boolean;
  readonly description: string;
  readonly file: string | undefined;
  readonly findings: { code: string; severity: string; message: string }[];
}

/** Reads TAP 14 as strictly as its grammar allows; the YAML in the one form that is written here, its strings by JSON. */
function readTap(text: string): Point[] {
  assert.ok(text.endsWith('\n'));
  const lines = text.slice(0, -1).split('\n');
  const next = (pattern: RegExp): RegExpExecArray => {
    const line = lines.shift() ?? '';
    return pattern.exec(line) ?? assert.fail(`expected ${pattern}, found ${JSON.stringify(line)}`);
  };
  next(/^TAP version 14$/);
  const [, planned] = next(/^1\.\.(\d+)(?: # nothing to check)?$/);
  const points: Point[] = [];
  for (let i = 1; i <= Number(planned); i++) {
    // a # that is not escaped would begin a directive, and none is ours
    const [, not, number, description] = next(/^(not )?ok (\d+) - ((?:[^\\#]|\\[\\#])*)$/);
    assert.equal(Number(number), i);
    const point: Point = { ok: not === undefined, description: description!.replace(/\\([\\#])/g, '$1'), file: undefined, findings: [] };
    points.push(lines[0] === '  ---' ? withDiagnostics(point) : point);
  }
  assert.deepEqual(lines, []);
  return points;

  function withDiagnostics({ ...point }: { -readonly [Key in keyof Point]: Point[Key] }): Point {
    const value = (indentation: string, key: string): string =>
      JSON.parse(next(new RegExp(`^${indentation}${key}: (".*")$`, 'u'))[1]!) as string;
    next(/^ {2}---$/);
    if (lines[0]!.startsWith('  file: ')) point.file = value('  ', 'file');
    next(/^ {2}findings:$/);
    while (lines[0] !== '  ...')
      point.findings.push({ code: value('    - ', 'code'), severity: value('      ', 'severity'), message: value('      ', 'message') });
    next(/^ {2}\.\.\.$/);
    return point;
  }
}

describe('a report as TAP 14', () => {
  it('has a point for each check, its findings as YAML', () => {
    assert.equal(
      renderTap(reportOf(GOOD, { ...BAD, name: 'web #1\\2' }, NOTED, UNREAD), SETTING),
      [
        'TAP version 14',
        '1..4',
        'ok 1 - api.crt: api',
        'not ok 2 - web \\#1\\\\2',
        '  ---',
        '  file: "certificates/web #1.crt"',
        '  findings:',
        '    - code: "LIFE_TOO_LONG"',
        '      severity: "notice"',
        '      message: "web: 398 days"',
        '    - code: "CERT_EXPIRED"',
        '      severity: "error"',
        '      message: "web: ended 2026-01-01"',
        '    - code: "CERT_EXPIRED"',
        '      severity: "error"',
        '      message: "ca: ended 2025-01-01"',
        '  ...',
        'ok 3 - api.crt: api',
        '  ---',
        '  file: "api.crt"',
        '  findings:',
        '    - code: "LIFE_TOO_LONG"',
        '      severity: "notice"',
        '      message: "api: 398 days"',
        '  ...',
        'not ok 4 - no.crt',
        '  ---',
        '  file: "no.crt"',
        '  findings:',
        '    - code: "FILE_NOT_FOUND"',
        '      severity: "error"',
        '      message: "no such file: no.crt"',
        '  ...',
        '',
      ].join('\n'),
    );
  });

  it('says that there was nothing to check', () =>
    assert.equal(renderTap(reportOf(), SETTING), 'TAP version 14\n1..0 # nothing to check\n'));

  it('is read back as it was meant, whatever the names', () => {
    fc.assert(
      fc.property(hostileReport, (report) => {
        const points = readTap(renderTap(report, SETTING));
        const expected = report.checks.map(({ name, file, good, findings, error }): Point => {
          const told = error === undefined ? findings : [{ ...error, severity: 'error' }];
          return {
            ok: good,
            description: inOneLine(name),
            file: file === undefined || told.length === 0 ? undefined : printable(placeOf(file, SETTING.directory).path),
            findings: told.map(({ code, severity, message }) => ({ code: printable(code), severity, message: printable(message) })),
          };
        });
        assert.deepEqual(points, expected);
      }),
    );
  });

  it('holds only what YAML 1.2 prints (§5.1)', () => {
    fc.assert(
      fc.property(hostileReport, (report) =>
        assert.match(renderTap(report, SETTING), /^[\t\n\u{20}-\u{7e}\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u),
      ),
    );
  });
});
