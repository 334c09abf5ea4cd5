import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { BaseCommand } from '../cli/base-command.js';
import { clientOf } from '../cli/client.js';
import { parseEndpoint } from '../cli/endpoints.js';
import { listFlag, workspaceFlag } from '../cli/flags.js';
import { given } from '../base/given.js';
import { interruption } from '../cli/interruption.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { passphraseFlags, passphraseSource } from '../cli/passphrase.js';
import { STARTTLS_PROTOCOLS, probe } from '../probe/index.js';
import { renderProbe } from '../render/probe.js';

const VERSIONS = { '1.0': 'TLSv1', '1.1': 'TLSv1.1', '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' } as const;
const versionFlag = (summary: string) => Flags.option({ options: Object.keys(VERSIONS) as (keyof typeof VERSIONS)[], summary })();

export default class Probe extends BaseCommand {
  static override readonly summary = 'shake hands with a server and say exactly why it fails, if it does';
  static override readonly description =
    'Tells which side refused, at which stage, why, how sure that is, and what mends it. Where the server does not say why, further handshakes may prove it. Exits 1 when something is wrong.';
  static override readonly examples = [
    { description: 'as a service of the workspace', command: '<%= config.bin %> probe localhost:8443 --as web' },
    { description: 'with files', command: '<%= config.bin %> probe api.shop.test:443 --cert tls.crt --key tls.key --ca ca.crt' },
    {
      description: 'a request too, and what the server answers',
      command: '<%= config.bin %> probe localhost:8443 --as web --http /health',
    },
    { description: 'a database that starts in clear text', command: '<%= config.bin %> probe db:5432 --starttls postgres --ca ca.crt' },
    { description: 'the cause, for a script', command: '<%= config.bin %> probe localhost:8443 --as web --json | jq -r .diagnosis.code' },
  ];
  static override readonly args = {
    ENDPOINT: Args.string({ ignoreStdin: true, description: 'HOST:PORT, or an https:// URL', required: true }),
  };
  static override readonly flags = {
    workspace: workspaceFlag,
    as: Flags.string({ summary: 'be this service of the workspace, and trust its CA', helpValue: 'SERVICE' }),
    cert: Flags.string({ summary: 'client certificate, with its chain', helpValue: 'FILE' }),
    key: Flags.string({ summary: 'its private key', helpValue: 'FILE' }),
    ...passphraseFlags,
    ca: listFlag('trusted certificates', 'FILE'),
    crl: listFlag('certificate revocation lists', 'FILE'),
    servername: Flags.string({ summary: 'the server name to send and to expect [default: HOST]', helpValue: 'NAME' }),
    alpn: listFlag('a protocol to offer', 'PROTOCOL'),
    'tls-min': versionFlag('lowest version to offer'),
    'tls-max': versionFlag('highest version to offer'),
    groups: Flags.string({ summary: 'key exchange groups to offer, such as X25519:P-256' }),
    starttls: Flags.option({ options: STARTTLS_PROTOCOLS, summary: 'begin in clear text' })(),
    http: Flags.string({ summary: 'GET this path after the handshake', helpValue: 'PATH' }),
    timeout: Flags.string({ summary: 'for each stage', default: '10s' }),
    retries: Flags.boolean({ summary: 'further handshakes may prove a cause', default: true, allowNo: true }),
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(Probe);
    const { host, port, path } = parseEndpoint(args.ENDPOINT);
    const { as, cert, key, ca, crl, workspace, servername, alpn, groups, starttls } = flags;
    const options = {
      ...(await clientOf({ as, cert, key, ca, crl, workspace, passphrase: passphraseSource(flags) })),
      ...given({ servername, alpn, groups, starttls, httpPath: flags.http ?? path }),
      ...given({ minVersion: flags['tls-min'] && VERSIONS[flags['tls-min']], maxVersion: flags['tls-max'] && VERSIONS[flags['tls-max']] }),
      ...{ host, port, retries: flags.retries, timeoutMs: parseDuration(flags.timeout, '--timeout') },
    };
    const work = () => probe({ ...options, clock: systemClock, signal: interruption.signal });
    const report = await withProgress(`probing ${args.ENDPOINT}`, work);
    return { result: report, text: () => renderProbe(report), exitCode: verdict(report.diagnosis.code === 'OK') };
  }
}
