import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { SERVICE_REASONS, openWorkspace, revokeCertificates, revokedView } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { renderRevoked } from '../render/authority.js';

export default class Revoke extends BaseCommand {
  static override readonly summary = 'revoke certificates and sign a new CRL that says so';
  static override readonly description =
    'By the name of a service: all its certificates that are still in force. By serial number: that one. Reasons have their names from RFC 5280 §5.3.1; the first one stays, unless it was a hold or none.';
  static override readonly examples = [
    { description: 'a service whose key was stolen', command: '<%= config.bin %> revoke api --reason keyCompromise' },
    {
      description: 'one certificate, after its successor is in use',
      command: '<%= config.bin %> revoke 4f9d62ab07c1e83355aa9e0c1d2b6f70 --reason superseded',
    },
  ];
  static override readonly args = {
    TARGET: Args.string({ ignoreStdin: true, description: 'the name of a service, or a serial number in hex', required: true }),
  };
  static override readonly flags = {
    workspace: workspaceFlag,
    reason: Flags.option({ options: SERVICE_REASONS, summary: 'why', default: 'unspecified' as const })(),
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(Revoke);
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const revoke = (tell: (what: string) => void) => revokeCertificates(workspace, args.TARGET, flags.reason, systemClock, { tell });
    const revoked = await withProgress('revoking', revoke);
    const result = revokedView(workspace, revoked, flags.reason);
    return { result, text: () => renderRevoked(result) };
  }
}
