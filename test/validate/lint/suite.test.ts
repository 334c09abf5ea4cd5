import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintItems, lintablesIn } from '../../../src/validate/lint/index.js';
import { missing } from '../../support/programs.js';

const DIRECTORY = process.env['MTLS_SUITES'] ?? fileURLToPath(new URL('../../../../shared/suites', import.meta.url));
const FILE = join(DIRECTORY, 'limbo.jsonl');

interface Case {
  readonly id: string;
  readonly tier: string;
  readonly expect: boolean;
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly roots: readonly string[];
  readonly crls?: readonly string[];
  readonly at?: string;
}

/** Cases of the core that a validator takes, and whose issuer broke a must all the same: no key usage in a CA, a cross-sign without authority key identifier, name constraints that are not critical, the serial number 0. */
const TAKEN_AND_WRONG: Readonly<Record<string, readonly string[]>> = {
  'crl::issuer-no-keyusage-extension': ['CA_KEY_USAGE_MISSING'],
  'cve::cve-2024-0567': ['AKI_MISSING'],
  'webpki::nc::permitted-dns-match-noncritical': ['NAME_CONSTRAINTS_NOT_CRITICAL'],
  'online::fastly.com': ['SERIAL_ZERO'],
};

/** Errors only, by RFC 5280 alone: how long a leaf of the suite lives is nobody's concern here. */
function errorsIn({ leaf, intermediates, roots, crls = [], at }: Case): string[] {
  const options = { at: new Date(at ?? '2026-06-01'), profile: 'rfc5280', minSeverity: 'error' } as const;
  const files = [leaf, ...intermediates, ...roots, ...crls].map((text) => lintablesIn(Buffer.from(text, 'latin1'), 'a case'));
  return [...new Set(files.flatMap((items) => lintItems(items, options).flatMap(({ findings }) => findings.map(({ code }) => code))))];
}

describe('lint of the x509-limbo suite', () => {
  let cases: readonly Case[] = [];

  before(function () {
    if (!existsSync(FILE)) {
      missing.add('the x509-limbo suite (MTLS_SUITES)');
      this.skip();
    }
    cases = readFileSync(FILE, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Case);
  });

  it('strict: finds the fault of every issuer, and none where there is none', () => {
    const strict = cases.filter(({ tier }) => tier === 'strict');
    assert.equal(strict.length, 26);
    for (const one of strict)
      assert.equal(errorsIn(one).length === 0, one.expect, `${one.id}: ${errorsIn(one).join(', ') || 'nothing found'}`);
  });

  it('core: has an error against a good path only where a must was broken', () => {
    const good = cases.filter(({ tier, expect }) => tier === 'core' && expect);
    const found = good.map((one) => [one.id, errorsIn(one)] as const).filter(([, errors]) => errors.length > 0);
    assert.deepEqual(Object.fromEntries(found), TAKEN_AND_WRONG);
  });
});
