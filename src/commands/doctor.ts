import * as Args from '@oclif/core/args';
import { DOCTOR_FINDINGS, examineWorkspace } from '../authority/doctor/index.js';
import { locateWorkspace } from '../authority/workspace.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import { formatFlag } from '../cli/format.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { renderDoctor } from '../render/doctor.js';
import { doctoredReport } from '../render/formats/doctored.js';
import { deploymentRule } from '../validate/deployment/index.js';

export default class Doctor extends BaseCommand {
  static override readonly summary = 'say what is wrong with the workspace, and the command that mends it';
  static override readonly description =
    'Modes, keys, chains, CRLs, the ledger, the clock, what is due, keys that git would take in. Nothing is changed and no passphrase asked for. Exits 1 when there is an error or a warning.';
  static override readonly examples = [
    { description: 'the workspace and its services', command: '<%= config.bin %> doctor' },
    { description: 'services that are deployed elsewhere, too', command: '<%= config.bin %> doctor deploy/staging deploy/production' },
    { description: 'in CI: a test for each part', command: '<%= config.bin %> doctor --format junit > doctor.xml' },
  ];
  static override readonly strict = false;
  static override readonly args = { DIR: Args.string({ ignoreStdin: true, description: 'a directory of deployed services' }) };
  static override readonly flags = { workspace: workspaceFlag, format: formatFlag };

  protected override async execute(): Promise<Outcome> {
    const { argv, flags } = await this.parse(Doctor);
    const directory = locateWorkspace(flags.workspace, process.cwd());
    const result = await examineWorkspace(directory, systemClock(), argv as readonly string[]);
    const ruleOf = (code: string): string => (DOCTOR_FINDINGS as Rules)[code]?.meaning ?? deploymentRule(code).meaning;
    return { result, text: () => renderDoctor(result), report: () => doctoredReport(result, ruleOf), exitCode: verdict(result.good) };
  }
}

type Rules = Readonly<Record<string, { readonly meaning: string } | undefined>>;
