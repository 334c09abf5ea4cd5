import { crlView, openWorkspace, refreshCrl } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { renderCrl } from '../render/authority.js';

export default class Crl extends BaseCommand {
  static override readonly summary = 'sign a new CRL, with a higher number';
  static override readonly description =
    'init signs the first, revoke the next ones, and whatever writes renews one that is half over. This is for a cron job, so that a CRL never ends while nobody looks.';
  static override readonly examples = [
    { description: 'for another thirty days', command: '<%= config.bin %> crl' },
    { description: 'for a week', command: '<%= config.bin %> crl --valid 7d' },
    { description: 'what is in it', command: '<%= config.bin %> inspect .mtls/authority/root.crl' },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    ...validityFlags('how long it is in force', 30),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(Crl);
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const sign = (tell: (what: string) => void) => refreshCrl(workspace, systemClock, validityOf(flags), { tell });
    const result = crlView(workspace, await withProgress('signing', sign));
    return { result, text: () => renderCrl(result) };
  }
}
