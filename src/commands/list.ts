import * as Flags from '@oclif/core/flags';
import { listCertificates, openWorkspace } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import { given } from '../cli/given.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { renderList, renderNothingDue } from '../render/authority.js';

export default class List extends BaseCommand {
  static override readonly summary = 'list the certificates of the workspace';
  static override readonly description =
    'The root and the newest certificate of every service. With --expiring, exits 1 when something is due.';
  static override readonly examples = [
    { description: 'all services', command: '<%= config.bin %> list' },
    { description: 'in CI: fail a month before something ends', command: '<%= config.bin %> list --expiring 30d' },
    {
      description: 'the names of what is revoked',
      command: `<%= config.bin %> list --all --json | jq -r '.certificates[] | select(.status == "revoked").name'`,
    },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    all: Flags.boolean({ summary: 'earlier certificates too' }),
    expiring: Flags.string({ summary: 'only what ends within this time, or has ended', helpValue: '30d' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(List);
    const { all, expiring } = flags;
    const within = given({ expiringWithin: expiring === undefined ? undefined : parseDuration(expiring, '--expiring') });
    const certificates = listCertificates(openWorkspace(flags.workspace, process.cwd()), systemClock, { all, ...within });
    const isGood = expiring === undefined || certificates.length === 0;
    return {
      result: { certificates },
      text: () => (certificates.length === 0 ? renderNothingDue(expiring!) : renderList(certificates)),
      exitCode: verdict(isGood),
    };
  }
}
