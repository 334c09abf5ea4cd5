import * as Flags from '@oclif/core/flags';
import { type CrlEvent, openClosedKeys, watchCrls } from '../authority/revocation/crl-watch.js';
import { refreshCrls } from '../authority/revocation/crl.js';
import { crlView } from '../authority/views.js';
import { systemClock } from '../base/clock.js';
import { given } from '../base/given.js';
import { BaseCommand } from '../cli/base-command.js';
import { interruption } from '../cli/interruption.js';
import type { Outcome } from '../cli/outcome.js';
import { lineWriter, withProgress } from '../cli/output.js';
import { lastingSource, namesPassphrase } from '../cli/passphrase.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { type AuthorityFlags, authorityFlags, openAuthority } from '../cli/workspace.js';
import { isoTime } from '../pki/fields.js';
import { renderCrls } from '../render/authority.js';
import { type CrlWatchView, renderCrlEvent } from '../render/crl-watch.js';

export default class Crl extends BaseCommand {
  static override readonly summary = 'sign a new CRL of every CA, with a higher number';
  static override readonly description =
    'init signs the first, revoke the next ones, and whatever writes renews one that is half over. This is for a cron job, or with --watch a service, so that a CRL never ends while nobody looks: peers refuse everyone when that of one CA is late. --watch signs that of each CA when half of its time is over, tries again what failed, and warns where the key of a CA is not here. There are no delta CRLs: many peers read none.';
  static override readonly examples = [
    { description: 'for another week', command: '<%= config.bin %> crl' },
    { description: 'for a month', command: '<%= config.bin %> crl --valid 30d' },
    {
      description: 'run on, and sign each when half of its time is over',
      command: '<%= config.bin %> crl --watch --passphrase-file ca.pass',
    },
    { description: 'what is in it', command: '<%= config.bin %> inspect .mtls/authority/root.crl' },
    { description: 'for those who fetch it', command: '<%= config.bin %> crl serve' },
  ];
  static override readonly flags = {
    ...authorityFlags,
    ...validityFlags('how long it is in force', 7),
    watch: Flags.boolean({ summary: 'run on until SIGTERM, and sign what comes due' }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { flags } = await this.parse(Crl);
    if (flags.watch) return this.#watch(flags);
    const workspace = openAuthority(flags);
    const sign = (tell: (what: string) => void) => refreshCrls(workspace, systemClock, validityOf(flags), { tell });
    const crls = (await withProgress('signing', sign)).map(crlView);
    return { result: { crls }, text: () => renderCrls(crls) };
  }

  async #watch(flags: AuthorityFlags & Parameters<typeof validityOf>[0] & { readonly json: boolean }): Promise<undefined> {
    const workspace = openAuthority(flags, lastingSource);
    if (!namesPassphrase(flags)) await openClosedKeys(workspace);
    const { signal } = interruption;
    const out = lineWriter('stdout');
    const line = (view: CrlWatchView): string =>
      flags.json ? JSON.stringify({ time: systemClock().toISOString(), ...view }) : renderCrlEvent(view);
    const tell = (event: CrlEvent): void => out(line(viewOf(event)));
    const options = { clock: systemClock, watcher: { signal }, tell, ...given({ validity: validityOf(flags) }) };
    await watchCrls(workspace, options, signal);
    return undefined;
  }
}

function viewOf(event: CrlEvent): CrlWatchView {
  if (event.event === 'crls') return { event: 'crls', crls: event.crls.map(crlView) };
  if (event.event === 'failed') {
    const { code, message, hints } = event.error;
    return { event: 'failed', name: event.issuer, code, message, hints };
  }
  const { issuer, path, crl } = event;
  return { event: 'ending', issuer, path, nextUpdate: crl?.nextUpdate === undefined ? null : isoTime(crl.nextUpdate) };
}
