import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import fc from 'fast-check';
import type { Check, Report } from '../../../src/render/formats/report.js';
import { renderSarif } from '../../../src/render/formats/sarif.js';
import { BAD, GOOD, NOTED, SETTING, UNREAD, hostileReport, reportOf } from './reports.js';

const json = (path: URL): object => JSON.parse(readFileSync(path, 'utf8')) as object;

// the schema is of draft 4, which ajv does not know by itself
const ajv = new Ajv({ schemaId: 'id', meta: false, allErrors: true });
ajv.addMetaSchema(json(new URL('../../../node_modules/ajv/lib/refs/json-schema-draft-04.json', import.meta.url)));
const isSarif = ajv.compile(json(new URL('schemas/sarif-2.1.0.json', import.meta.url)));

interface Location {
  readonly physicalLocation?: { readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string }; readonly region: object };
  readonly logicalLocations: readonly { readonly name: string }[];
}

/** The parts of a log that are looked at here. */
interface Run {
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string; readonly helpUri?: string }[] } };
  readonly invocations: readonly [{ readonly executionSuccessful: boolean; readonly toolExecutionNotifications?: readonly object[] }];
  readonly artifacts: readonly object[];
  readonly results: readonly {
    readonly ruleId: string;
    readonly ruleIndex: number;
    readonly level: string;
    readonly message: { readonly text: string };
    readonly locations: readonly [Location];
    readonly partialFingerprints: Readonly<Record<string, string>>;
  }[];
}

/** The run of a log that is valid by the schema. */
function runOf(report: Report): Run {
  const log = JSON.parse(renderSarif(report, SETTING)) as { readonly runs: readonly [Run] };
  assert.ok(isSarif(log), ajv.errorsText(isSarif.errors));
  return log.runs[0];
}

const printsOf = (...checks: readonly Check[]): string[] =>
  runOf(reportOf(...checks)).results.map((result) => result.partialFingerprints['mtlsFinding/v1']!);

describe('a report as SARIF 2.1.0', () => {
  it('would not be valid with something else in it', () => {
    assert.equal(isSarif({ version: '2.1.0', runs: [{ tool: { driver: { name: 'mtls', versoin: '1' } } }] }), false);
    assert.equal(
      isSarif({ version: '2.1.0', runs: [{ tool: { driver: { name: 'mtls' } }, results: [{ level: 'bad', message: { text: '' } }] }] }),
      false,
    );
  });

  it('has a result for each finding, with its rule', () => {
    const { tool, results, artifacts } = runOf(reportOf(GOOD, BAD));
    assert.deepEqual(tool.driver.rules, [
      {
        id: 'CERT_EXPIRED',
        shortDescription: { text: 'what CERT_EXPIRED says' },
        fullDescription: { text: 'what CERT_EXPIRED says (RFC 5280 §6.1.3 a 2)' },
        help: { text: 'what CERT_EXPIRED says (RFC 5280 §6.1.3 a 2); all codes are in docs/findings.md' },
        helpUri: 'https://www.rfc-editor.org/rfc/rfc5280#section-6.1.3',
        defaultConfiguration: { level: 'error' },
      },
      {
        id: 'LIFE_TOO_LONG',
        shortDescription: { text: 'what LIFE_TOO_LONG says' },
        fullDescription: { text: 'what LIFE_TOO_LONG says (RFC 5280 §6.1.3 a 2)' },
        help: { text: 'what LIFE_TOO_LONG says (RFC 5280 §6.1.3 a 2); all codes are in docs/findings.md' },
        helpUri: 'https://www.rfc-editor.org/rfc/rfc5280#section-6.1.3',
        defaultConfiguration: { level: 'note' },
      },
    ]);
    const physicalLocation = { artifactLocation: { uri: 'certificates/web%20%231.crt', uriBaseId: '%SRCROOT%' }, region: { startLine: 1 } };
    assert.deepEqual(
      results.map(({ partialFingerprints: _, ...result }) => result),
      BAD.findings.map(({ code, severity, message }) => ({
        ruleId: code,
        ruleIndex: code === 'CERT_EXPIRED' ? 0 : 1,
        level: severity === 'notice' ? 'note' : severity,
        message: { text: message },
        locations: [{ physicalLocation, logicalLocations: [{ name: 'web.crt: web' }] }],
      })),
    );
    // what was looked at and found good is there too, once
    assert.equal(artifacts.length, 2);
    assert.equal(runOf(reportOf(GOOD, { ...GOOD, file: './api.crt' })).artifacts.length, 1);
  });

  it('links a rule to where it is written, if that is an RFC', () => {
    const linkOf = (source: string): string | undefined =>
      runOf({ ...reportOf(NOTED), tool: { command: 'lint', ruleOf: () => ({ text: 'ends soon', source }) } }).tool.driver.rules[0]!.helpUri;
    assert.equal(linkOf('RFC 5280 §4.2.1.12'), 'https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12');
    assert.equal(linkOf('RFC 9155'), 'https://www.rfc-editor.org/rfc/rfc9155');
    assert.equal(linkOf('RFC 5280 §A.1, RFC 9549 §2'), 'https://www.rfc-editor.org/rfc/rfc5280#appendix-A.1');
    assert.equal(linkOf('NIST SP 800-131A'), undefined);
  });

  it('tells a file that could not be looked at as what kept the tool from its work', () => {
    const { invocations, results } = runOf(reportOf(GOOD, UNREAD));
    assert.deepEqual(results, []);
    assert.equal(invocations[0].executionSuccessful, false);
    assert.equal(invocations[0].toolExecutionNotifications?.length, 1);
    assert.equal(runOf(reportOf(GOOD, BAD)).invocations[0].executionSuccessful, true);
  });

  it('knows a finding again by the rule, the file and the name, not by days and distances', () => {
    const later = { ...BAD, findings: BAD.findings.map((finding) => ({ ...finding, message: `${finding.message}, a day more` })) };
    assert.deepEqual(printsOf(later), printsOf(BAD));
    assert.equal(new Set(printsOf(BAD)).size, BAD.findings.length);
    const others = [
      { ...BAD, name: 'other' },
      { ...BAD, file: 'other.crt' },
    ].flatMap((check) => printsOf(check));
    assert.equal(new Set([...others, ...printsOf(BAD)]).size, 3 * BAD.findings.length);
    // the same file, named otherwise
    assert.deepEqual(printsOf({ ...BAD, file: `${SETTING.directory}/./certificates/web #1.crt` }), printsOf(BAD));
  });

  it('does not tell where on this machine it ran', () => {
    fc.assert(
      fc.property(hostileReport, (report) => {
        const inside = report.checks.map((check) => ({
          ...check,
          file: `${SETTING.directory}/x${(check.file ?? '').replaceAll(/\.\.|builds/g, '')}`,
        }));
        const { results, artifacts } = runOf({ ...report, checks: inside });
        const places = results.flatMap(({ locations }) => locations.map(({ physicalLocation }) => physicalLocation));
        assert.ok(!JSON.stringify([places, artifacts]).includes(SETTING.directory));
        assert.ok(places.every((place) => place?.artifactLocation.uriBaseId === '%SRCROOT%'));
      }),
    );
  });

  it('is valid, and means what it says, whatever the names', () => {
    fc.assert(
      fc.property(hostileReport, (report) => {
        const { tool, results } = runOf(report);
        assert.equal(
          results.length,
          report.checks.reduce((sum, { findings }) => sum + findings.length, 0),
        );
        for (const { ruleId, ruleIndex, message, locations, partialFingerprints } of results) {
          assert.equal(tool.driver.rules[ruleIndex]!.id, ruleId);
          // no half of a surrogate pair, nothing that steers a terminal, no placeholder, no link (§3.11.5, §3.11.6)
          assert.doesNotMatch(message.text, /[\p{Cs}\p{Bidi_Control}]|(?![\n\r\t])\p{Cc}/u);
          assert.doesNotMatch(message.text.replaceAll('{{', '').replaceAll('}}', ''), /[{}]|\]\(/);
          assert.match(partialFingerprints['primaryLocationLineHash']!, /^[0-9a-f]{32}:1$/);
          assert.equal(locations[0].logicalLocations.length, 1);
        }
      }),
    );
  });
});
