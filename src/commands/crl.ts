import { crlView, refreshCrls } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import type { Outcome } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { authorityFlags, openAuthority } from '../cli/workspace.js';
import { renderCrls } from '../render/authority.js';

export default class Crl extends BaseCommand {
  static override readonly summary = 'sign a new CRL of every CA, with a higher number';
  static override readonly description =
    'init signs the first, revoke the next ones, and whatever writes renews one that is half over. This is for a cron job, so that a CRL never ends while nobody looks: peers refuse everyone when that of one CA is late. There are no delta CRLs: many peers read none.';
  static override readonly examples = [
    { description: 'for another week', command: '<%= config.bin %> crl' },
    { description: 'for a month', command: '<%= config.bin %> crl --valid 30d' },
    { description: 'what is in it', command: '<%= config.bin %> inspect .mtls/authority/root.crl' },
    { description: 'for those who fetch it', command: '<%= config.bin %> crl serve' },
  ];
  static override readonly flags = {
    ...authorityFlags,
    ...validityFlags('how long it is in force', 7),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(Crl);
    const workspace = openAuthority(flags);
    const sign = (tell: (what: string) => void) => refreshCrls(workspace, systemClock, validityOf(flags), { tell });
    const crls = (await withProgress('signing', sign)).map(crlView);
    return { result: { crls }, text: () => renderCrls(crls) };
  }
}
