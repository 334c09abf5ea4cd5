import * as Flags from '@oclif/core/flags';
import { changePassphrase, closedKeys, passphraseView } from '../../authority/index.js';
import { BaseCommand } from '../../cli/base-command.js';
import type { Outcome } from '../../cli/outcome.js';
import { withProgress } from '../../cli/output.js';
import { isSomebodyThere, namesPassphrase, newPassphrase, newPassphraseFlags, ofNew } from '../../cli/passphrase.js';
import { authorityFlags, openAuthority } from '../../cli/workspace.js';
import { renderPassphrase } from '../../render/authority-keys.js';

export default class AuthorityPassphrase extends BaseCommand {
  static override readonly summary = 'change, set or take away the passphrase of the CA keys that are here';
  static override readonly description =
    'All of them are opened before the first is written anew, so that a wrong passphrase changes nothing. PKCS#8 with PBES2: AES-256, and 600,000 iterations of PBKDF2. A key that was sealed keeps the passphrase that it was sealed under.';
  static override readonly examples = [
    { description: 'asked for: the old one, and the new one twice', command: '<%= config.bin %> authority passphrase' },
    {
      description: 'in a script',
      command: '<%= config.bin %> authority passphrase --passphrase-file old.pass --new-passphrase-file new.pass',
    },
    { description: 'the keys lie open again', command: '<%= config.bin %> authority passphrase --remove' },
  ];
  static override readonly flags = {
    ...authorityFlags,
    ...newPassphraseFlags,
    remove: Flags.boolean({ summary: 'leave the keys without a passphrase', exclusive: Object.keys(newPassphraseFlags) }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(AuthorityPassphrase);
    const workspace = openAuthority(flags);
    // the old one first: as people expect it, and as the lines of one descriptor stand
    const asksOld = namesPassphrase(flags) || isSomebodyThere();
    for (const path of asksOld ? closedKeys(workspace) : []) await workspace.passphrase?.(path);
    const fresh = flags.remove ? undefined : await newPassphrase(ofNew(flags), 'the keys of the CAs');
    const change = (tell: (what: string) => void) => changePassphrase(workspace, fresh, { tell });
    const result = passphraseView(await withProgress('encrypting', change), flags.remove);
    return { result, text: () => renderPassphrase(result) };
  }
}
