import type { DoctorReport } from '../../authority/doctor/index.js';
import type { Report } from './report.js';

/** Each part of the workspace a check, under each file that something is wrong in; with every finding goes what mends it. */
export const doctoredReport = ({ checks }: DoctorReport, meaningOf: (code: string) => string): Report => ({
  tool: { command: 'doctor', document: 'docs/doctor.md', ruleOf: (code) => ({ text: meaningOf(code) }) },
  checks: checks.flatMap(({ name, file, findings }) => {
    const files = [...new Set(findings.map((finding) => finding.file))];
    if (files.length === 0) return [{ name, file, good: true, findings: [] }];
    return files.map((each) => {
      const own = findings.filter((finding) => finding.file === each);
      return {
        ...{ name: `${name}: ${each}`, file: each, good: own.every(({ severity }) => severity === 'notice') },
        findings: own.map(({ code, severity, message, remedy }) => ({
          ...{ code, severity },
          message: remedy === null ? message : `${message}; to mend it: ${remedy}`,
        })),
      };
    });
  }),
});
