import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { SERVICE_REASONS, releaseCertificates, releasedView, revokeCertificates, revokedView } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import type { Outcome } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { revocationTarget } from '../cli/revocation-target.js';
import { authorityFlags, openAuthority } from '../cli/workspace.js';
import { renderReleased, renderRevoked } from '../render/authority.js';

export default class Revoke extends BaseCommand {
  static override readonly summary = 'revoke certificates and sign a new CRL that says so';
  static override readonly description =
    'By the name of a service: all its certificates that are still in force. By serial number, fingerprint or file: that one. Reasons have their names from RFC 5280 §5.3.1; the first one stays, unless it was a hold or none. Only a hold can be lifted.';
  static override readonly examples = [
    { description: 'a service whose key was stolen', command: '<%= config.bin %> revoke api --reason keyCompromise' },
    {
      description: 'one certificate, after its successor is in use',
      command: '<%= config.bin %> revoke 4f9d62ab07c1e83355aa9e0c1d2b6f70 --reason superseded',
    },
    { description: 'the one in a file', command: '<%= config.bin %> revoke ./tls.crt --reason cessationOfOperation' },
    { description: 'for a while, until it is known what happened', command: '<%= config.bin %> revoke api --reason certificateHold' },
    { description: 'good again', command: '<%= config.bin %> revoke api --lift-hold' },
  ];
  static override readonly args = {
    TARGET: Args.string({ ignoreStdin: true, description: 'a service, a serial number or SHA-256 fingerprint in hex, or a file' }),
  };
  static override readonly flags = {
    ...authorityFlags,
    'all-of': Flags.string({ summary: 'all certificates that this service ever had', helpValue: 'NAME' }),
    reason: Flags.option({ options: SERVICE_REASONS, summary: 'why [default: unspecified]' })(),
    'lift-hold': Flags.boolean({ summary: 'the hold is over', exclusive: ['reason'] }),
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(Revoke);
    const target = revocationTarget(args.TARGET, flags['all-of']);
    const workspace = openAuthority(flags);
    if (flags['lift-hold']) {
      const release = (tell: (what: string) => void) => releaseCertificates(workspace, target, systemClock, { tell });
      const result = releasedView(await withProgress('lifting the hold', release));
      return { result, text: () => renderReleased(result) };
    }
    const reason = flags.reason ?? 'unspecified';
    const revoke = (tell: (what: string) => void) => revokeCertificates(workspace, target, reason, systemClock, { tell });
    const result = revokedView(await withProgress('revoking', revoke), reason);
    return { result, text: () => renderRevoked(result) };
  }
}
