export { NO_BASELINE, readBaseline, writeBaseline } from './baseline.js';
export { type LintAnswer, answerLintLine, lintRefusal } from './batch.js';
export { lintFiles, ruleCodes } from './files.js';
export {
  type LintFinding,
  type LintOptions,
  type Lintable,
  type LintedFile,
  type LintedItem,
  lintCertificate,
  lintChain,
  lintCrl,
  lintItems,
  lintUnreadable,
  rulesOf,
} from './lint.js';
export { type LintReport, reportOn } from './report.js';
export { PROFILES, type Profile, SEVERITIES, type Severity } from './rule.js';
export { LINT_RULES, type LintCode } from './rules.js';
export { lintablesIn, lintablesOf } from './sources.js';
