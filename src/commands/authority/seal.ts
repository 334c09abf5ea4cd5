import * as Flags from '@oclif/core/flags';
import { type SealResult, burnRoot, keyMovedView, rootToSeal, sealRoot } from '../../authority/index.js';
import { systemClock } from '../../base/clock.js';
import { parseDuration } from '../../base/duration.js';
import { given } from '../../base/given.js';
import { BaseCommand } from '../../cli/base-command.js';
import { confirmBurning } from '../../cli/burning.js';
import type { Outcome } from '../../cli/outcome.js';
import { withProgress } from '../../cli/output.js';
import { namesPassphrase, newPassphrase, newPassphraseFlags, ofNew } from '../../cli/passphrase.js';
import { authorityFlags, openAuthority } from '../../cli/workspace.js';
import { renderBurnt, renderSealed } from '../../render/authority-keys.js';

export default class AuthoritySeal extends BaseCommand {
  static override readonly summary = 'take the key of the root out of the workspace, encrypted';
  static override readonly description =
    'The issuing CA goes on signing services; the root, which peers trust, cannot be stolen from where its key is not. The file is read back and proven before the key is removed. Its CRL lasts a year, as nobody can sign the next one before unseal: seal again in time. A disk may keep what was removed from it: a key that was made under a passphrase (init --ask-passphrase) never lay there open. With --burn-root the key is removed for good, and can revoke no issuing CA any more.';
  static override readonly examples = [
    {
      description: 'onto a stick, under a passphrase that is asked for',
      command: '<%= config.bin %> authority seal --out /media/stick/root.key',
    },
    { description: 'in a script', command: '<%= config.bin %> authority seal --out root.key --new-passphrase-file root.pass' },
    { description: 'for two years', command: '<%= config.bin %> authority seal --out root.key --crl-valid 730d' },
    { description: 'for good', command: '<%= config.bin %> authority seal --burn-root' },
  ];
  static override readonly flags = {
    ...authorityFlags,
    out: Flags.string({
      char: 'o',
      summary: 'the file for the key, which must not be there yet',
      helpValue: 'FILE',
      exactlyOne: ['out', 'burn-root'],
    }),
    ...newPassphraseFlags,
    'crl-valid': Flags.string({ summary: "how long the root's CRL is in force", helpValue: '365d', dependsOn: ['out'] }),
    'burn-root': Flags.boolean({ summary: 'remove the key for good; its name must be typed then' }),
    'yes-burn-root': Flags.boolean({ summary: 'nobody need type it', dependsOn: ['burn-root'] }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(AuthoritySeal);
    const workspace = openAuthority(flags);
    const { root, isEncrypted } = rootToSeal(workspace);
    const { out } = flags;
    if (out === undefined) {
      await confirmBurning(root, flags['yes-burn-root']);
      const view = await moved('burning', (tell) => burnRoot(workspace, systemClock, { tell }));
      return { result: view, text: () => renderBurnt(view) };
    }
    const crlValidity = flags['crl-valid'] === undefined ? undefined : parseDuration(flags['crl-valid'], '--crl-valid');
    // with the descriptor of both, the old one is read first
    if (isEncrypted) await workspace.passphrase?.(root.paths.key);
    const isNew = !isEncrypted || namesPassphrase(ofNew(flags));
    const passphrase = isNew ? await newPassphrase(ofNew(flags), out) : undefined;
    const options = { out, ...given({ passphrase, crlValidity }) };
    const view = await moved('sealing', (tell) => sealRoot(workspace, options, systemClock, { tell }));
    return { result: view, text: () => renderSealed(view) };
  }
}

const moved = async (what: string, act: (tell: (what: string) => void) => Promise<SealResult>) =>
  keyMovedView(await withProgress(what, act));
