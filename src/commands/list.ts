import { relative } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { type ListedCertificate, type Workspace, listCertificates, openWorkspace, servicePaths } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import { formatFlag } from '../cli/format.js';
import { given } from '../cli/given.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { renderList, renderNothingDue } from '../render/authority.js';
import { listedReport } from '../render/formats/listed.js';

export default class List extends BaseCommand {
  static override readonly summary = 'list the certificates of the workspace';
  static override readonly description =
    'The root and the newest certificate of every service. With --expiring, exits 1 when something is due.';
  static override readonly examples = [
    { description: 'all services', command: '<%= config.bin %> list' },
    { description: 'in CI: fail a month before something ends', command: '<%= config.bin %> list --expiring 30d' },
    { description: 'the same as tests, a certificate each', command: '<%= config.bin %> list --expiring 30d --format junit' },
    {
      description: 'the names of what is revoked',
      command: `<%= config.bin %> list --all --json | jq -r '.certificates[] | select(.status == "revoked").name'`,
    },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    format: formatFlag,
    all: Flags.boolean({ summary: 'earlier certificates too' }),
    expiring: Flags.string({ summary: 'only what ends within this time, or has ended', helpValue: '30d' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(List);
    const { all, expiring } = flags;
    const within = given({ expiringWithin: expiring === undefined ? undefined : parseDuration(expiring, '--expiring') });
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const certificates = listCertificates(workspace, systemClock, { all, ...within });
    const isGood = expiring === undefined || certificates.length === 0;
    return {
      result: { certificates },
      text: () => (certificates.length === 0 ? renderNothingDue(expiring!) : renderList(certificates)),
      // a pipeline is told what is not due too: many take a report without any test for a failure
      report: () => {
        const listed = expiring === undefined ? certificates : listCertificates(workspace, systemClock);
        const due = expiring === undefined ? [] : certificates;
        return listedReport({ certificates: listed, due, fileOf: currentFiles(workspace, listed), ...given({ within: expiring }) });
      },
      exitCode: verdict(isGood),
    };
  }
}

/** Where the certificates are that are in use: the root, and the newest of each service. */
function currentFiles({ paths }: Workspace, listed: readonly ListedCertificate[]) {
  const newest = new Map(listed.map(({ name, serial }) => [name, serial]));
  return ({ name, profile, serial }: ListedCertificate): string | undefined => {
    if (newest.get(name) !== serial) return undefined;
    const path = profile === 'ca' ? paths.rootCertificate : servicePaths({ paths }, name).certificate;
    return relative(process.cwd(), path);
  };
}
