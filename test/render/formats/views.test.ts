import assert from 'node:assert/strict';
import type { ListedCertificate } from '../../../src/authority/index.js';
import { lintedReport } from '../../../src/render/formats/linted.js';
import { listedReport } from '../../../src/render/formats/listed.js';
import { verifiedReport } from '../../../src/render/formats/verified.js';
import { SETTING } from './reports.js';

const certificate = (name: string, serial: string, daysLeft: number): ListedCertificate => ({
  ...{ name, namespace: 'default', serial, profile: 'peer', status: daysLeft < 0 ? 'expired' : 'valid', daysLeft },
  ...{
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-04-01T00:00:00Z',
    uri: null,
    issuer: 'ab',
    sha256: 'cd',
    issued: null,
    revoked: null,
  },
});

describe('what was found, as a report', () => {
  it('of verify: each certificate a check, each error a finding', () => {
    const certificates = [
      {
        ...{ file: `${SETTING.directory}/api.crt`, valid: true, path: ['api', 'root'] },
        ...{ errors: [], warnings: [{ code: 'CRL_NOT_FOUND', message: 'api: no CRL' }] },
      },
      { file: './web.crt', valid: false, errors: [{ code: 'CERT_EXPIRED', message: 'web: ended' }], warnings: [], path: [] },
    ];
    const findings = {
      CERT_EXPIRED: { meaning: 'out of date', source: 'RFC 5280 §6.1.3' },
      SEARCH_LIMIT: { meaning: 'more', source: null },
    };
    const { tool, checks } = verifiedReport({ certificates }, findings, SETTING.directory);
    assert.deepEqual(checks, [
      {
        ...{ name: 'api.crt: api', file: `${SETTING.directory}/api.crt`, good: true },
        findings: [{ code: 'CRL_NOT_FOUND', severity: 'warning', message: 'api: no CRL' }],
      },
      {
        ...{ name: 'web.crt', file: './web.crt', good: false },
        findings: [{ code: 'CERT_EXPIRED', severity: 'error', message: 'web: ended' }],
      },
    ]);
    assert.deepEqual(tool.ruleOf('CERT_EXPIRED'), { text: 'out of date', source: 'RFC 5280 §6.1.3' });
    assert.deepEqual(tool.ruleOf('SEARCH_LIMIT'), { text: 'more' });
    assert.deepEqual(tool.ruleOf('NEWER'), { text: 'NEWER' });
  });

  it('of list: what is due is not good, what is not due is there too', () => {
    const [old, api, web, db] = [
      certificate('api', '01', 9),
      certificate('api', '02', 9),
      certificate('web', '03', -1),
      certificate('db', '04', 90),
    ];
    const fileOf = (one: ListedCertificate): string | undefined => (one === old ? undefined : `${one.name}.crt`);
    const { tool, checks } = listedReport({ certificates: [old, api, web, db], due: [api, web], within: '30d', fileOf });
    const ends = 'api: ends 2026-04-01T00:00:00Z, expected more than 30d, found 9 days';
    assert.deepEqual(checks, [
      // of one that another took the place of, only the serial number is its own
      { name: 'api 01', good: true, findings: [] },
      { name: 'api', file: 'api.crt', good: false, findings: [{ code: 'CERT_ENDS_SOON', severity: 'error', message: ends }] },
      {
        ...{ name: 'web', file: 'web.crt', good: false },
        findings: [{ code: 'CERT_EXPIRED', severity: 'error', message: 'web: ended 2026-04-01T00:00:00Z, 1 day ago' }],
      },
      { name: 'db', file: 'db.crt', good: true, findings: [] },
    ]);
    assert.match(tool.ruleOf('CERT_ENDS_SOON').text, /--expiring/);
  });

  it('of lint: a notice is told and does not count, a file that cannot be read is an error', () => {
    const finding = { code: 'CERT_ENDS_SOON', severity: 'notice', message: 'expected more', source: 'NIST SP 1800-16' } as const;
    const item = { label: 'api', kind: 'certificate', sha256: '00', findings: [finding] } as const;
    const errors = [{ file: 'no.crt', code: 'FILE_NOT_FOUND', message: 'no such file: no.crt' }];
    const rules = [{ id: 'CERT_ENDS_SOON', title: 'ends soon', source: 'NIST SP 1800-16' }];
    const checksWhen = (isBad: boolean) =>
      lintedReport({ files: [{ file: 'api.crt', items: [item] }], errors }, { rules, isBad: () => isBad }, SETTING.directory);
    const findings = [{ code: 'CERT_ENDS_SOON', severity: 'notice', message: 'api: expected more' }];
    assert.deepEqual(checksWhen(false).checks, [
      { name: 'api.crt: api', file: 'api.crt', good: true, findings },
      { name: 'no.crt', file: 'no.crt', good: false, findings: [], error: { code: 'FILE_NOT_FOUND', message: 'no such file: no.crt' } },
    ]);
    assert.equal(checksWhen(true).checks[0]!.good, false);
    assert.deepEqual(checksWhen(true).tool.ruleOf('CERT_ENDS_SOON'), { text: 'ends soon', source: 'NIST SP 1800-16' });
  });
});
