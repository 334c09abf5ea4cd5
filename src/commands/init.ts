import * as Flags from '@oclif/core/flags';
import { existsSync } from 'node:fs';
import { initializeWorkspace, initializedView, workspaceDirectory } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { workspaceFlag } from '../cli/flags.js';
import { given } from '../cli/given.js';
import type { Outcome } from '../cli/outcome.js';
import { askForWorkspace, isInteractive } from '../cli/prompts.js';
import { KEY_TYPES } from '../pki/key.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { renderInitialized } from '../render/authority.js';

export default class Init extends BaseCommand {
  static override readonly summary = 'make a workspace: a root CA and an empty CRL, in .mtls';
  static override readonly examples = [
    { description: 'answer a few questions', command: '<%= config.bin %> init' },
    { description: 'ask nothing (in a script)', command: '<%= config.bin %> init --yes' },
    { description: 'your own trust domain and key type', command: '<%= config.bin %> init --trust-domain shop.test --key-type ed25519' },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    'trust-domain': Flags.string({ summary: 'the SPIFFE trust domain of all services [default: cluster.local]', helpValue: 'NAME' }),
    'key-type': Flags.option({ options: KEY_TYPES, summary: 'key of the root CA, and of services [default: ecdsa-p256]' })(),
    ...validityFlags('life of the root CA', 3650),
    yes: Flags.boolean({ char: 'y', summary: 'ask nothing' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(Init);
    const said = given({ trustDomain: flags['trust-domain'], keyType: flags['key-type'], validity: validityOf(flags) });
    const directory = workspaceDirectory(flags.workspace ?? process.cwd());
    const asks = Object.keys(said).length === 0 && !flags.yes && !flags.json && isInteractive() && !existsSync(directory);
    const options = asks ? await askForWorkspace() : said;
    const { workspace, root } = initializeWorkspace({ ...options, directory, clock: systemClock });
    const result = initializedView(workspace, root);
    return { result, text: () => renderInitialized(result) };
  }
}
