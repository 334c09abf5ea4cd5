import assert from 'node:assert/strict';
import fc from 'fast-check';
import { printable } from '../../../src/render/formats/characters.js';
import { renderGithub } from '../../../src/render/formats/github.js';
import { placeOf } from '../../../src/render/formats/paths.js';
import { BAD, GOOD, NOTED, SETTING, UNREAD, hostileReport, reportOf } from './reports.js';

/** Reads a workflow command as the runner does: the first `::` ends the properties, then each escape is taken back. */
function readCommand(line: string) {
  const end = line.indexOf('::', 2);
  const [command = '', properties = ''] = line.slice(2, end).split(/ (.*)/s, 2);
  const pairs = properties.split(',').map((pair) => pair.split(/=(.*)/s, 2) as [string, string]);
  return {
    command,
    ...Object.fromEntries(pairs.map(([name, value]) => [name, unescaped(value)])),
    message: unescaped(line.slice(end + 2)),
  };
}

const unescaped = (text: string): string =>
  text.replace(/%(0D|0A|3A|2C|25)/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

describe('a report as workflow commands of GitHub', () => {
  it('has an annotation for each finding, and says how many checks there were', () => {
    assert.equal(
      renderGithub(reportOf(GOOD, { ...BAD, file: 'a,b:c=100%.crt' }, NOTED, UNREAD), SETTING),
      [
        '::notice file=a%2Cb%3Ac=100%25.crt,title=LIFE_TOO_LONG::web: 398 days',
        '::error file=a%2Cb%3Ac=100%25.crt,title=CERT_EXPIRED::web: ended 2026-01-01',
        '::error file=a%2Cb%3Ac=100%25.crt,title=CERT_EXPIRED::ca: ended 2025-01-01',
        '::notice file=api.crt,title=LIFE_TOO_LONG::api: 398 days',
        '::error file=no.crt,title=FILE_NOT_FOUND::no such file: no.crt',
        'mtls verify: 4 checked, 2 not good',
        '',
      ].join('\n'),
    );
  });

  it('is read back as it was meant, and no name becomes a command of its own', () => {
    fc.assert(
      fc.property(hostileReport, (report) => {
        const lines = renderGithub(report, SETTING).split(/\r\n|\r|\n/);
        assert.equal(lines.pop(), '');
        assert.match(lines.pop()!, /^mtls (verify|list|lint): \d+ checked, \d+ not good$/);
        const expected = report.checks.flatMap(({ file, findings, error }) =>
          (error === undefined ? findings : [{ ...error, severity: 'error' }]).map(({ code, severity, message }) => ({
            command: severity,
            ...(file === undefined ? {} : { file: printable(placeOf(file, SETTING.directory).path) }),
            title: printable(code),
            message: printable(message),
          })),
        );
        assert.deepEqual(lines.map(readCommand), expected);
      }),
    );
  });
});
