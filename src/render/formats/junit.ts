import { inOneLine, printable } from './characters.js';
import { type Check, type Report, type ReportedFinding, SEVERITIES } from './report.js';

/**
 * JUnit XML, in the elements and attributes that the schema of Jenkins (xunit-plugin, junit-10.xsd) and readers of today
 * share: a test case for each check, one failure each, so that the counts are the same however they are counted.
 */
export function renderJunit({ tool, checks }: Report): string {
  const [failures, errors] = [checks.filter(isBad).length, checks.filter(({ error }) => error !== undefined).length];
  const counts = { name: `mtls ${tool.command}`, tests: checks.length, failures, errors };
  // nothing is timed; readers that add times up want a number
  const suite = element('testsuite', { ...counts, skipped: 0, time: 0 }, checks.map((check) => testCase(check, tool.command)).join(''));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { ...counts, time: 0 }, suite)}`;
}

const isBad = ({ good, error }: Check): boolean => !good && error === undefined;

function testCase({ name, good, findings, error }: Check, command: string): string {
  const attributes = { name: inOneLine(name), classname: `mtls.${command}`, time: 0 };
  if (error !== undefined) return element('testcase', attributes, leaf('error', { type: error.code, message: error.message }, ''));
  const told = findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`).join('\n');
  if (good) return element('testcase', attributes, told === '' ? '' : leaf('system-out', {}, told));
  const [worst] = byWorst(findings);
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return element(
    'testcase',
    attributes,
    leaf('failure', { type: worst?.code ?? '', message: `${worst?.message ?? 'not good'}${more}` }, told),
  );
}

const byWorst = (findings: readonly ReportedFinding[]): readonly ReportedFinding[] =>
  [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));

type Attributes = Readonly<Record<string, string | number>>;

/** An element that holds elements. */
const element = (name: string, attributes: Attributes, content: string): string =>
  content === '' ? `<${name}${written(attributes)}/>\n` : `<${name}${written(attributes)}>\n${content}</${name}>\n`;

/** An element that holds text, in which every blank counts. */
const leaf = (name: string, attributes: Attributes, text: string): string => `<${name}${written(attributes)}>${escaped(text)}</${name}>\n`;

const written = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replace(/[\n\t]/g, referenceOf)}"`)
    .join('');

/** In text a bare CR, in attributes a line or tab too, would be read back as something else (XML 1.0 §2.11, §3.3.3). */
const escaped = (text: string): string => printable(text).replace(/[&<>"\r]/g, referenceOf);

const referenceOf = (character: string): string => `&#${character.charCodeAt(0)};`;
