import { relative } from 'node:path';
import * as Flags from '@oclif/core/flags';
import {
  LIST_ORDERS,
  type ListedCertificate,
  STATUSES,
  type Workspace,
  casOf,
  listCertificates,
  openWorkspace,
  servicePaths,
} from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import { formatFlag } from '../cli/format.js';
import { given } from '../base/given.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { serialText } from '../pki/fields.js';
import { renderList, renderListCsv, renderNothingDue } from '../render/authority.js';
import { listedReport } from '../render/formats/listed.js';

export default class List extends BaseCommand {
  static override readonly summary = 'list the certificates of the workspace';
  static override readonly description =
    'The root and the newest certificate of every service. With --expiring, exits 1 when something is due.';
  static override readonly examples = [
    { description: 'all services', command: '<%= config.bin %> list' },
    { description: 'in CI: fail a month before something ends', command: '<%= config.bin %> list --expiring 30d' },
    { description: 'the same as tests, a certificate each', command: '<%= config.bin %> list --expiring 30d --format junit' },
    { description: 'what is revoked', command: '<%= config.bin %> list --all --status revoked' },
    { description: 'for a spreadsheet, what ends first at the top', command: '<%= config.bin %> list --csv --sort expiry' },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    format: formatFlag,
    csv: Flags.boolean({ summary: 'print it as CSV (RFC 4180), with a header', exclusive: ['format'] }),
    all: Flags.boolean({ summary: 'earlier certificates too' }),
    name: Flags.string({ summary: 'only of this service; * stands for any characters', helpValue: 'GLOB' }),
    status: Flags.option({ options: STATUSES, summary: 'only what is so' })(),
    profile: Flags.string({ summary: 'only of this profile; ca are the CAs', helpValue: 'PROFILE' }),
    issuer: Flags.string({ summary: 'only what the CA with this key identifier signed', helpValue: 'HEX' }),
    sort: Flags.option({
      options: LIST_ORDERS,
      summary: 'what comes first: the name, what ends first, what was issued last [default: name]',
    })(),
    expiring: Flags.string({ summary: 'only what ends within this time, or has ended', helpValue: '30d' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(List);
    const { all, expiring } = flags;
    const within = given({ expiringWithin: expiring === undefined ? undefined : parseDuration(expiring, '--expiring') });
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const { name, status, profile, issuer, sort } = flags;
    const isEarlier = all || status === 'replaced';
    const certificates = listCertificates(workspace, systemClock, {
      ...{ all: isEarlier, ...within },
      ...given({ name, status, profile, issuer, sort }),
    });
    const isGood = expiring === undefined || certificates.length === 0;
    return {
      result: { certificates },
      text: () => {
        if (flags.csv) return renderListCsv(certificates);
        if (certificates.length > 0) return renderList(certificates);
        return expiring === undefined ? 'no certificate is so' : renderNothingDue(expiring);
      },
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

/** Where the certificates are that are in use: the CAs, and the newest of each service. */
function currentFiles({ paths }: Workspace, listed: readonly ListedCertificate[]) {
  const newest = new Map(listed.map(({ name, serial }) => [name, serial]));
  const cas = new Map(casOf(paths).map((ca) => [serialText(ca.certificate.serial), ca.paths.certificate]));
  return ({ name, profile, serial }: ListedCertificate): string | undefined => {
    if (newest.get(name) !== serial) return undefined;
    const path = profile === 'ca' ? cas.get(serial)! : servicePaths({ paths }, name).certificate;
    return relative(process.cwd(), path);
  };
}
