import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { runBatch } from '../cli/batch.js';
import { listFlag, oneOrMore } from '../cli/flags.js';
import { formatFlag } from '../cli/format.js';
import { given } from '../base/given.js';
import { instantOf } from '../cli/instant.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { EXIT } from '../errors.js';
import { lintedReport } from '../render/formats/linted.js';
import { renderLint, renderLintRules } from '../render/lint.js';
import {
  LINT_RULES,
  type LintOptions,
  NO_BASELINE,
  PROFILES,
  SEVERITIES,
  answerLintLine,
  lintFiles,
  lintRefusal,
  readBaseline,
  reportOn,
  ruleCodes,
  rulesOf,
  writeBaseline,
} from '../validate/lint/index.js';

export default class Lint extends BaseCommand {
  static override readonly summary = 'say what certificates and CRLs should not have, rule by rule';
  static override readonly description =
    'Nobody is trusted and nothing verified: each certificate, chain and CRL is held against the rules of RFC 5280, of SPIFFE and of mutual TLS. Exits 1 when there is an error or a warning.';
  static override readonly examples = [
    { description: 'a certificate, its chain, a CRL', command: '<%= config.bin %> lint tls.crt ca.crt ca.crl' },
    { description: 'only what breaks RFC 5280', command: '<%= config.bin %> lint tls.crt --profile rfc5280 --min-severity error' },
    { description: 'what is known stays quiet', command: '<%= config.bin %> lint tls.crt --write-baseline lint.json' },
    { description: 'and what is new fails', command: '<%= config.bin %> lint tls.crt --baseline lint.json' },
    { description: 'in CI: for code scanning', command: '<%= config.bin %> lint deploy/*.crt --format sarif > mtls.sarif' },
    { description: 'all rules, with where they are written', command: '<%= config.bin %> lint --rules' },
  ];
  static override readonly strict = false;
  static override readonly args = { FILE: Args.string({ ignoreStdin: true, description: 'a file with certificates or CRLs' }) };
  static override readonly flags = {
    format: formatFlag,
    profile: Flags.option({ options: PROFILES, summary: 'whose rules [default: mtls, which has those of rfc5280 and spiffe]' })(),
    ignore: listFlag('a rule to leave out; may be given several times', 'CODE'),
    'min-severity': Flags.option({ options: SEVERITIES, summary: 'leave out what is less bad; with notice, notices fail too' })(),
    at: Flags.string({ summary: 'the instant to judge for [default: now]', helpValue: 'INSTANT' }),
    baseline: Flags.string({ summary: 'findings that are known and do not count', helpValue: 'FILE' }),
    'write-baseline': Flags.string({
      summary: 'write all findings there as known, and exit 0',
      helpValue: 'FILE',
      exclusive: ['baseline'],
    }),
    rules: Flags.boolean({ summary: 'print the table of rules', exclusive: ['batch', 'format'] }),
    batch: Flags.string({
      summary: 'answer a JSON object a line: {"id","cert"} in PEM; - is stdin',
      helpValue: 'FILE|-',
      exclusive: ['format', 'baseline', 'write-baseline'],
    }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { argv, flags } = await this.parse(Lint);
    const { profile, ignore = [], 'min-severity': minSeverity, 'write-baseline': written } = flags;
    if (flags.rules) return tableOf(profile === undefined ? LINT_RULES : rulesOf(profile));
    const at = flags.at === undefined ? systemClock() : instantOf(flags.at, '--at');
    const options: LintOptions = { at, ignore: ruleCodes(ignore), ...given({ profile, minSeverity }) };
    if (flags.batch !== undefined)
      return runBatch(flags.batch, argv, { answer: (line) => answerLintLine(line, options), refusal: lintRefusal });
    const baseline = flags.baseline === undefined ? NO_BASELINE : readBaseline(flags.baseline);
    const { files, errors } = lintFiles(oneOrMore(argv, 'a certificate or CRL to lint', 'mtls lint tls.crt'), options);
    const limit = minSeverity ?? 'warning';
    const report = reportOn({ files, at, profile: profile ?? 'mtls', baseline, limit });
    const known = written === undefined ? undefined : { file: written, known: writeBaseline(written, files) };
    const result = { ...report, ...given({ written: known, errors: errors.length > 0 ? errors : undefined }) };
    const exitCode = errors.length > 0 ? EXIT.could_not : written === undefined ? verdict(report.good) : EXIT.good;
    // what was just written as known does not count
    const isBad = (severity: (typeof SEVERITIES)[number]): boolean =>
      written === undefined && SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(limit);
    return {
      result,
      text: () => renderLint(result),
      report: () => lintedReport(result, { rules: LINT_RULES, isBad }, process.cwd()),
      exitCode,
    };
  }
}

function tableOf(rules: readonly (typeof LINT_RULES)[number][] | ReturnType<typeof rulesOf>): Outcome {
  const result = rules.map(({ id, severity, on, profiles, source, title }) => ({ code: id, severity, on, profiles, source, title }));
  return { result: { rules: result }, text: () => renderLintRules(result) };
}
