import * as Flags from '@oclif/core/flags';
import { initializeWorkspace, workspaceDirectory } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { DAY, parseDuration } from '../base/duration.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import { askForWorkspace, isInteractive } from '../cli/prompts.js';
import { KEY_TYPES } from '../pki/key.js';
import { renderInit, rootView } from '../render/authority.js';

export default class Init extends BaseCommand {
  static override readonly summary = 'make a workspace: a root CA and an empty CRL, in .mtls';
  static override readonly examples = [
    { description: 'answer three questions', command: '<%= config.bin %> init' },
    { description: 'ask nothing (in a script)', command: '<%= config.bin %> init --yes' },
    { description: 'your own trust domain and key type', command: '<%= config.bin %> init --trust-domain shop.test --key-type ed25519' },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    'trust-domain': Flags.string({ summary: 'the SPIFFE trust domain of all services [default: cluster.local]', helpValue: 'NAME' }),
    'key-type': Flags.option({ options: KEY_TYPES, summary: 'key of the root CA, and of services [default: ecdsa-p256]' })(),
    days: Flags.integer({ summary: 'life of the root CA in days [default: 3650]', min: 1, max: 36_500, exclusive: ['valid'] }),
    valid: Flags.string({ summary: 'the same as a duration', helpValue: '10y' }),
    yes: Flags.boolean({ char: 'y', summary: 'ask nothing' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(Init);
    const given = {
      ...(flags['trust-domain'] === undefined ? {} : { trustDomain: flags['trust-domain'] }),
      ...(flags['key-type'] === undefined ? {} : { keyType: flags['key-type'] }),
      ...(flags.days === undefined ? {} : { validity: flags.days * DAY }),
      ...(flags.valid === undefined ? {} : { validity: parseDuration(flags.valid, '--valid') }),
    };
    const asks = Object.keys(given).length === 0 && !flags.yes && !flags.json && isInteractive();
    const options = asks ? await askForWorkspace() : given;
    const directory = workspaceDirectory(flags.workspace ?? process.cwd());
    const { workspace, root } = initializeWorkspace({ ...options, directory, clock: systemClock });
    const result = { workspace: workspace.paths.directory, trustDomain: workspace.settings.trustDomain, root: rootView(root) };
    return { result, text: () => renderInit(result) };
  }
}
