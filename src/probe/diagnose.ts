import { DIAGNOSES, type DiagnosisCode, impliesCode } from './diagnoses.js';
import type { Facts, Rule } from './facts.js';
import type { Diagnosis, StageName } from './report.js';
import { CLIENT_CERTIFICATE_RULES } from './rules/client-certificate.js';
import { FALLBACK_RULE, HELLO_RULES } from './rules/hello.js';
import { NETWORK_RULES } from './rules/network.js';
import { OUTCOME_RULES } from './rules/outcome.js';
import { SERVER_CERTIFICATE_RULES } from './rules/server-certificate.js';

/** All rules, in the order in which they are asked: along the stages, the fallback last. The first that applies is the diagnosis. */
export const RULES: readonly Rule[] = [
  ...NETWORK_RULES,
  ...HELLO_RULES,
  ...SERVER_CERTIFICATE_RULES,
  ...CLIENT_CERTIFICATE_RULES,
  ...OUTCOME_RULES,
  FALLBACK_RULE,
];

/** What it comes to. `failedStage` is where it stopped, for the diagnoses that may stop anywhere. */
export function diagnose(facts: Facts, failedStage: StageName | undefined): Diagnosis {
  const applying = RULES.flatMap((rule) => {
    const finding = rule.when(facts);
    return finding === undefined ? [] : [{ rule, finding }];
  });
  const [first, ...others] = applying;
  // something always applies: a handshake either fails or goes through
  const { rule, finding } = first ?? {
    rule: FALLBACK_RULE,
    finding: { confidence: 'possible', evidence: ['nothing that is known fits'] } as const,
  };
  const { side, stage, meaning } = DIAGNOSES[rule.code];
  const besides = others.filter((other) => isBesides(other.rule, rule.code) && other.finding.confidence === 'certain');
  const alternatives = [...(finding.alternatives ?? []), ...besides.map((other) => other.rule.code)];
  return {
    code: rule.code,
    side,
    stage: finding.stage ?? (rule === FALLBACK_RULE ? (failedStage ?? stage) : stage),
    confidence: finding.confidence,
    summary: finding.summary ?? meaning,
    evidence: [...finding.evidence, ...besides.map((other) => `besides, ${other.rule.code}: ${other.finding.evidence[0]}`)],
    fixes: rule.fixes(facts),
    alternatives: [...new Set(alternatives)].filter((code) => code !== rule.code),
  };
}

/** Is this a fault of its own beside the diagnosis, and not the same said otherwise? What stops at the hello has one cause. */
const isBesides = (rule: Rule, diagnosis: DiagnosisCode): boolean =>
  FAULTS.includes(rule) && rule.code !== 'OK' && rule.code !== diagnosis && !impliesCode(diagnosis, rule.code);

const FAULTS: readonly Rule[] = [...SERVER_CERTIFICATE_RULES, ...CLIENT_CERTIFICATE_RULES, ...OUTCOME_RULES];
