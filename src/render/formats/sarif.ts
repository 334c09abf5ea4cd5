import { createHash } from 'node:crypto';
import { printable } from './characters.js';
import { placeOf } from './paths.js';
import type { Check, Report, ReportedFinding, Setting, Severity, Tool } from './report.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', notice: 'note' };
const BASE = '%SRCROOT%';

/** SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), with what code scanning at GitHub asks for besides. */
export function renderSarif(report: Report, { version, directory }: Setting): string {
  const { tool, checks } = report;
  const severities = new Map(checks.flatMap(({ findings }) => findings.map(({ code, severity }) => [code, severity] as const)));
  const codes = [...severities.keys()].sort();
  const run = {
    tool: { driver: { name: 'mtls', version, rules: codes.map((code) => ruleOf(code, severities.get(code)!, tool)) } },
    // of several runs of one tool, only those of different names stand beside each other
    automationDetails: { id: `mtls ${tool.command}/` },
    invocations: [invocationOf(checks, directory)],
    // no URI: where the run was is nobody's business
    originalUriBaseIds: { [BASE]: { description: message('the directory in which mtls ran') } },
    artifacts: artifactsOf(checks, directory),
    results: checks.flatMap((check) => resultsOf(check, { codes, command: tool.command, directory })),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] })}\n`;
}

function ruleOf(code: string, severity: Severity, { ruleOf: find, document }: Tool) {
  const { text, source } = find(code);
  const whole = source === undefined ? text : `${text} (${source})`;
  const page = pageOf(whole);
  return {
    id: code,
    shortDescription: message(text),
    fullDescription: message(whole),
    help: message(document === undefined ? whole : `${whole}; all codes are in ${document}`),
    ...(page === undefined ? {} : { helpUri: page }),
    defaultConfiguration: { level: LEVELS[severity] },
  };
}

/** The section of the RFC that a rule is written in, the first where it names several. */
function pageOf(text: string): string | undefined {
  const [, number, section] = /RFC (\d+)(?: §([\dA-Z.]*[\dA-Z]))?/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const anchor = section === undefined ? '' : `#${/^[A-Z]/.test(section) ? 'appendix' : 'section'}-${section}`;
  return `https://www.rfc-editor.org/rfc/rfc${number}${anchor}`;
}

function invocationOf(checks: readonly Check[], directory: string) {
  const notifications = checks.flatMap(({ file, error }) =>
    error === undefined
      ? []
      : [
          {
            ...{ descriptor: { id: error.code }, level: 'error', message: message(error.message) },
            ...(file === undefined ? {} : { locations: [{ physicalLocation: physical(file, directory) }] }),
          },
        ],
  );
  return {
    executionSuccessful: notifications.length === 0,
    ...(notifications.length === 0 ? {} : { toolExecutionNotifications: notifications }),
  };
}

interface Surroundings {
  readonly codes: readonly string[];
  readonly command: string;
  readonly directory: string;
}

function resultsOf({ name, file, findings }: Check, { codes, command, directory }: Surroundings) {
  const location = {
    ...(file === undefined ? {} : { physicalLocation: physical(file, directory) }),
    logicalLocations: [{ name: printable(name) }],
  };
  return findings.map((finding, i) => {
    const place = file === undefined ? '' : placeOf(file, directory).uri;
    const print = fingerprintOf([command, finding.code, place, name, String(countBefore(findings, i))]);
    return {
      ruleId: finding.code,
      ruleIndex: codes.indexOf(finding.code),
      level: LEVELS[finding.severity],
      message: message(finding.message),
      locations: [location],
      // the second is the one that code scanning at GitHub goes by; it would take the first line, which all PEM files share
      partialFingerprints: { 'mtlsFinding/v1': print, primaryLocationLineHash: `${print}:1` },
    };
  });
}

/** What a finding is known by at the next run: not its message, which holds days and distances. */
const fingerprintOf = (parts: readonly string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

const countBefore = (findings: readonly ReportedFinding[], end: number): number =>
  findings.slice(0, end).filter(({ code }) => code === findings[end]!.code).length;

/** What was looked at, each file once, however it was called. */
function artifactsOf(checks: readonly Check[], directory: string) {
  const files = new Map(checks.flatMap(({ file }) => (file === undefined ? [] : [[placeOf(file, directory).uri, file] as const])));
  return [...files.values()].map((file) => ({ location: artifactOf(file, directory), roles: ['analysisTarget'] }));
}

function artifactOf(file: string, directory: string) {
  const { uri, isRelative } = placeOf(file, directory);
  return isRelative ? { uri, uriBaseId: BASE } : { uri };
}

/** GitHub shows nothing without a line. A certificate has none of its own: the first stands for the file. */
const physical = (file: string, directory: string) => ({ artifactLocation: artifactOf(file, directory), region: { startLine: 1 } });

/** Braces are doubled, and a bracket before a parenthesis would begin a link (SARIF 2.1.0 §3.11.5, §3.11.6). */
const message = (text: string) => ({ text: printable(text).replace(/[{}]/g, '$&$&').replaceAll('](', '] (') });
