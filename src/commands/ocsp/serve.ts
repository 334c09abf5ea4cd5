import * as Flags from '@oclif/core/flags';
import { openWorkspace, serveOcsp } from '../../authority/index.js';
import { parseDuration } from '../../base/duration.js';
import { BaseCommand } from '../../cli/base-command.js';
import { workspaceFlag } from '../../cli/flags.js';
import { serveUntilStopped, servingFlags } from '../../cli/serving.js';

export default class OcspServe extends BaseCommand {
  static override readonly summary = 'answer by OCSP whether certificates of the workspace are revoked';
  static override readonly description =
    'By POST and by GET (RFC 6960), from the ledger as it is at that moment: good, revoked, or unknown when it was never issued. Answers are signed by a key that lives in memory alone, with a certificate of seven days from the CA, whose key is read for that and no longer. SIGTERM lets what is under way finish.';
  static override readonly examples = [
    { description: 'on this machine', command: '<%= config.bin %> ocsp serve' },
    { description: 'answers that caches may keep for a day', command: "<%= config.bin %> ocsp serve --listen '[::]:8081' --valid 1d" },
    {
      description: 'ask',
      command:
        'openssl ocsp -url http://127.0.0.1:8081 -issuer .mtls/authority/root.crt -CAfile .mtls/authority/root.crt -cert .mtls/services/api/tls.crt',
    },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    ...servingFlags('127.0.0.1:8081'),
    valid: Flags.string({ summary: 'how long an answer without a nonce is good for', default: '4h' }),
  };

  protected override async execute(): Promise<undefined> {
    const { flags } = await this.parse(OcspServe);
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const validity = parseDuration(flags.valid, '--valid');
    await serveUntilStopped(flags, (options) => serveOcsp(workspace, { ...options, validity }));
    return undefined;
  }
}
