import * as Flags from '@oclif/core/flags';
import { openWorkspace, verifyLedger, witnessAgainst } from '../../authority/index.js';
import { BaseCommand } from '../../cli/base-command.js';
import { workspaceFlag } from '../../cli/flags.js';
import { type Outcome, verdict } from '../../cli/outcome.js';
import { withProgress } from '../../cli/output.js';
import { renderLedgerVerdict } from '../../render/authority.js';

export default class AuditVerify extends BaseCommand {
  static override readonly summary = 'prove that nothing was cut out of the ledger or changed';
  static override readonly description =
    'Each line of the ledger carries the hash of the one before it. That some were cut off at its end, CRLs and certificates bear witness that it does not know; what is printed is the hash of the last line: whoever keeps it elsewhere can prove later, with --head, that it is there still. Exits 1 when a line is bad, and names the first one.';
  static override readonly examples = [
    { description: 'the whole ledger', command: '<%= config.bin %> audit verify' },
    { description: 'in CI: what was there last time is there still', command: '<%= config.bin %> audit verify --head "$(cat last-head)"' },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    head: Flags.string({ summary: 'a hash that was printed before: its line must be there', helpValue: 'HASH' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(AuditVerify);
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const { ledger: path } = workspace.paths;
    const found = await withProgress('verifying', () => verifyLedger(path, flags.head?.toLowerCase()));
    const cut = found.bad === null ? witnessAgainst(workspace) : undefined;
    const bad = cut === undefined ? found.bad : { line: found.lines + 1, problem: `lines were cut off: ${cut}` };
    const result = { path, valid: bad === null, ...found, bad };
    return { result, text: () => renderLedgerVerdict(result), exitCode: verdict(result.valid) };
  }
}
