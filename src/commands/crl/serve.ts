import { openWorkspace, serveCrls } from '../../authority/index.js';
import { BaseCommand } from '../../cli/base-command.js';
import { workspaceFlag } from '../../cli/flags.js';
import { serveUntilStopped, servingFlags } from '../../cli/serving.js';

export default class CrlServe extends BaseCommand {
  static override readonly summary = 'serve the CRLs of the workspace over HTTP';
  static override readonly description =
    'Each CRL stands under the name of its file (/root.crl), in DER, as it is at that moment: who signs a new one restarts nothing. Caches are told to keep it until its nextUpdate, and are answered 304 when they have it. Plain HTTP, as CRLs are public and signed. SIGTERM lets what is under way finish.';
  static override readonly examples = [
    { description: 'on this machine', command: '<%= config.bin %> crl serve' },
    { description: 'for the network', command: "<%= config.bin %> crl serve --listen '[::]:8080'" },
    { description: 'fetch one', command: 'curl -sO http://127.0.0.1:8080/root.crl' },
  ];
  static override readonly flags = { workspace: workspaceFlag, ...servingFlags('127.0.0.1:8080') };

  protected override async execute(): Promise<undefined> {
    const { flags } = await this.parse(CrlServe);
    const workspace = openWorkspace(flags.workspace, process.cwd());
    await serveUntilStopped(flags, (options) => serveCrls(workspace, options));
    return undefined;
  }
}
