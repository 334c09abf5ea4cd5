import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { serviceNames } from '../authority/index.js';
import { HOOK_SIGNALS, type Hooks } from '../authority/renew/hooks.js';
import { type RenewEvent, RenewRounds } from '../authority/renew/rounds.js';
import { USUAL_BEFORE, parseBefore } from '../authority/renew/renew.js';
import { crlView } from '../authority/views.js';
import { systemClock } from '../base/clock.js';
import { given } from '../base/given.js';
import { BaseCommand } from '../cli/base-command.js';
import { interruption } from '../cli/interruption.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { lineWriter, tellHappened } from '../cli/output.js';
import { keyPassphraseFlags, keyPassphraseSource, lastingSource, passphraseSource } from '../cli/passphrase.js';
import { authorityFlags, openAuthority } from '../cli/workspace.js';
import { MtlsError } from '../errors.js';
import { isoTime, serialText } from '../pki/fields.js';
import { type RenewView, renderRenewEvent, renderRenewed } from '../render/renew.js';

export default class Renew extends BaseCommand {
  static override readonly summary = 'renew the certificates of services';
  static override readonly description =
    'Without names, whatever is due: at two thirds of its life. The new certificate has the names, the profile and the life of the one before, and a new key, which is under a passphrase when the one before was: --key-passphrase-file and the like say which; certificate and key are switched by one rename. The one before stays valid until it ends, unless --revoke-old. Hooks run when the new files are in place. A service whose key is not here needs a new request. What was revoked, and what ends with its CA, is never due. Exits 1 when some could not be renewed.';
  static override readonly examples = [
    { description: 'whatever is due', command: '<%= config.bin %> renew' },
    { description: 'two services now, with the keys that they have', command: '<%= config.bin %> renew api web --same-key' },
    { description: 'whatever ends within 20 days; from cron', command: '<%= config.bin %> renew --due --before 20d' },
    {
      description: 'its next key under a passphrase, as that before',
      command: '<%= config.bin %> renew api --key-passphrase-file api.pass',
    },
    {
      description: 'run on, and let nginx take the new files',
      command: '<%= config.bin %> renew --watch --signal HUP --pid-file /run/nginx.pid',
    },
    {
      description: 'a command for each renewed service, and metrics for node_exporter',
      command: '<%= config.bin %> renew --watch --exec \'systemctl reload "$MTLS_SERVICE"\' --metrics /var/lib/node_exporter/mtls.prom',
    },
  ];
  static override readonly strict = false;
  static override readonly args = { NAME: Args.string({ ignoreStdin: true, description: 'a service to renew now, due or not' }) };
  static override readonly flags = {
    ...authorityFlags,
    all: Flags.boolean({ summary: 'every service, due or not', exclusive: ['due', 'watch'] }),
    due: Flags.boolean({ summary: 'whatever is due [default without names]' }),
    before: Flags.string({ summary: 'due so long, or at that share of the life, before the end [default: a third]', helpValue: '20d|33%' }),
    'same-key': Flags.boolean({ summary: 'keep the key' }),
    'revoke-old': Flags.boolean({ summary: 'revoke the one before (superseded), after the hooks' }),
    watch: Flags.boolean({ summary: 'run on until SIGTERM, and renew what comes due' }),
    exec: Flags.string({ summary: 'a shell command; MTLS_SERVICE, MTLS_CERTIFICATE, MTLS_KEY, MTLS_CA are set', helpValue: 'CMD' }),
    signal: Flags.option({ options: HOOK_SIGNALS, summary: 'a signal for the process of --pid-file', dependsOn: ['pid-file'] })(),
    'pid-file': Flags.string({ summary: 'where that process has its number', helpValue: 'FILE', dependsOn: ['signal'] }),
    ...keyPassphraseFlags,
    metrics: Flags.string({ summary: 'write days left as a Prometheus text file', helpValue: 'FILE' }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { argv, flags } = await this.parse(Renew);
    if (argv.length > 0 && (flags.all || flags.due || flags.watch))
      throw new MtlsError('USAGE', { problem: 'name services, or say --all, --due or --watch: not both' });
    const source = flags.watch ? lastingSource : passphraseSource;
    const workspace = openAuthority(flags, source);
    const names = [...new Set(argv as string[])];
    const hooks: Hooks = given({
      exec: flags.exec,
      signal: flags.signal === undefined ? undefined : { name: flags.signal, pidFile: flags['pid-file']! },
    });
    const { signal } = interruption;
    const events: RenewView[] = [];
    const tell = flags.watch ? this.#lines(flags.json) : (view: RenewView): void => void events.push(view);
    const rounds = new RenewRounds(workspace, {
      ...{ before: flags.before === undefined ? USUAL_BEFORE : parseBefore(flags.before), hooks, sameKey: flags['same-key'] },
      ...{ revokeOld: flags['revoke-old'], clock: systemClock, tell: (event) => tell(viewOf(event)) },
      watcher: { signal, tell: tellHappened },
      ...given({ metrics: flags.metrics, keyPassphrase: keyPassphraseSource(flags, source) }),
    });
    if (flags.watch) {
      await rounds.watch(signal, Math.random);
      return undefined;
    }
    await rounds.round(flags.all ? serviceNames(workspace) : names.length > 0 ? names : undefined);
    return { result: { events }, text: () => renderRenewed(events), exitCode: verdict(!rounds.isTroubled) };
  }

  #lines(json: boolean): (view: RenewView) => void {
    const out = lineWriter('stdout');
    return (view) => out(json ? JSON.stringify({ time: systemClock().toISOString(), ...view }) : renderRenewEvent(view));
  }
}

function viewOf(event: RenewEvent): RenewView {
  if (event.event === 'crls') return { event: 'crls', crls: event.crls.map(crlView) };
  if (event.event === 'failed') {
    const { code, message, hints } = event.error;
    return { event: 'failed', name: event.service, code, message, hints };
  }
  if (event.event !== 'renewed') return { event: event.event, name: event.service };
  const { entry, replaced } = event.result;
  return {
    ...{ event: 'renewed', name: entry.name, serial: serialText(entry.serial), notAfter: isoTime(entry.notAfter) },
    replaced: replaced === undefined ? null : serialText(replaced.serial),
  };
}
