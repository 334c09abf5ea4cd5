import fc from 'fast-check';
import { type Check, type Report, type ReportedFinding, SEVERITIES, type Setting } from '../../../src/render/formats/report.js';

export const SETTING: Setting = { version: '1.2.3', directory: '/builds/shop' };

/** What breaks one format or another, or steers a terminal. */
const HOSTILE = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\t',
    '\0',
    '\u0008',
    '\u001b[31m',
    '\u0085',
    '\u009b',
    '\u007f',
    '\u2028',
    '\u202e',
    '\ufeff',
    '\ufffe',
    '\uffff',
  ],
  ...['\ud800', '\udc00', '😀', '<', '&', '&amp;', '"', "'", ']]>', '<!--', '-->', '<failure/>', '<?xml'],
  ...['%', '%0A', '%3A', ':', '::', '\n::error::', '::stop-commands::x', ',', '=', 'title=', '##[error]'],
  ...[
    '#',
    ' # SKIP',
    ' # TODO',
    '\\',
    '\\#',
    '---',
    '\n  ...\n',
    '\nok 7',
    'Bail out!',
    '1..0',
    ' - ',
    '{',
    '}',
    '{0}',
    '[a](0)',
    '](',
    '$&',
  ],
  ...['/', '..', '../', './', 'C:\\', 'file:///', 'mailto:', '?', ' ', '', 'é', 'api', 'tls.crt'],
];

/** Text that nobody should have written. */
export const hostile: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 6 })
    .map((parts) => parts.join('')),
);

const finding: fc.Arbitrary<ReportedFinding> = fc.record({
  code: fc.oneof(fc.constantFrom('CERT_EXPIRED', 'WEAK_KEY', 'NAME_MISMATCH'), hostile),
  severity: fc.constantFrom(...SEVERITIES),
  message: hostile,
});

const check: fc.Arbitrary<Check> = fc
  .record(
    {
      name: hostile,
      file: fc.oneof(
        hostile,
        hostile.map((text) => `/${text}`),
        hostile.map((text) => `${SETTING.directory}/${text}`),
      ),
      good: fc.boolean(),
      findings: fc.array(finding, { maxLength: 4 }),
      error: fc.record({ code: hostile, message: hostile }),
    },
    { requiredKeys: ['name', 'good', 'findings'] },
  )
  .map((one) => (one.error === undefined ? one : { ...one, good: false }));

export const hostileReport: fc.Arbitrary<Report> = fc.record({
  tool: fc.record({ command: fc.constantFrom('verify', 'list', 'lint'), ruleOf: hostile.map((text) => () => ({ text })) }),
  checks: fc.array(check, { maxLength: 4 }),
});

/** A report of these checks. */
export const reportOf = (...checks: readonly Check[]): Report => ({
  tool: {
    command: 'verify',
    document: 'docs/findings.md',
    ruleOf: (code) => ({ text: `what ${code} says`, source: 'RFC 5280 §6.1.3 a 2' }),
  },
  checks,
});

export const GOOD: Check = { name: 'api.crt: api', file: 'api.crt', good: true, findings: [] };
export const BAD: Check = {
  ...{ name: 'web.crt: web', file: 'certificates/web #1.crt', good: false },
  findings: [
    { code: 'LIFE_TOO_LONG', severity: 'notice', message: 'web: 398 days' },
    { code: 'CERT_EXPIRED', severity: 'error', message: 'web: ended 2026-01-01' },
    { code: 'CERT_EXPIRED', severity: 'error', message: 'ca: ended 2025-01-01' },
  ],
};
export const NOTED: Check = { ...GOOD, findings: [{ code: 'LIFE_TOO_LONG', severity: 'notice', message: 'api: 398 days' }] };
export const UNREAD: Check = {
  name: 'no.crt',
  file: 'no.crt',
  good: false,
  findings: [],
  error: { code: 'FILE_NOT_FOUND', message: 'no such file: no.crt' },
};
