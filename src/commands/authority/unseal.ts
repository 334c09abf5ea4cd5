import * as Args from '@oclif/core/args';
import { keyMovedView, unsealRoot } from '../../authority/index.js';
import { systemClock } from '../../base/clock.js';
import { BaseCommand } from '../../cli/base-command.js';
import type { Outcome } from '../../cli/outcome.js';
import { withProgress } from '../../cli/output.js';
import { authorityFlags, openAuthority } from '../../cli/workspace.js';
import { renderUnsealed } from '../../render/authority-keys.js';

export default class AuthorityUnseal extends BaseCommand {
  static override readonly summary = 'bring the key of the root back into the workspace';
  static override readonly description =
    'To sign a CRL of the root, or to revoke the issuing CA. The file must open and be the key of the root; it is put back as it is, still encrypted, and stays where it was. A fresh CRL of the root is signed.';
  static override readonly examples = [
    { description: 'from a stick', command: '<%= config.bin %> authority unseal /media/stick/root.key' },
    { description: 'in a script', command: '<%= config.bin %> authority unseal root.key --passphrase-file root.pass' },
  ];
  static override readonly args = {
    FILE: Args.string({ ignoreStdin: true, required: true, description: 'what seal wrote' }),
  };
  static override readonly flags = authorityFlags;

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(AuthorityUnseal);
    const workspace = openAuthority(flags);
    const unseal = (tell: (what: string) => void) => unsealRoot(workspace, args.FILE, systemClock, { tell });
    const result = { ...keyMovedView(await withProgress('unsealing', unseal)), file: args.FILE };
    return { result, text: () => renderUnsealed(result) };
  }
}
