import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { findIn } from '../authority/import/files.js';
import { type ImportOptions, importInto, importService, importedView } from '../authority/import/import.js';
import { type Workspace, openWorkspace } from '../authority/workspace.js';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { oneOrMore, workspaceFlag } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { keyPassphraseFlags, keyPassphraseOf, namesPassphrase, passphraseFlags, passphraseSource } from '../cli/passphrase.js';
import { isError } from '../errors.js';
import { renderImported } from '../render/import.js';

export default class Import extends BaseCommand {
  static override readonly summary = 'take a certificate with its key and chain out of other formats';
  static override readonly description =
    'Out of PKCS#12, PEM, PKCS#7 or DER, in one file or several, into tls.crt, tls.key and ca.crt, which are switched at once. All of it is checked before it is believed: the key belongs to the certificate, which is in force, and the chain leads to a root that is among the files or trusted by the workspace. Into the workspace goes only what its own ledger knows; with --out it goes to any directory. What does not belong to it is left out, and that is said.';
  static override readonly examples = [
    { description: 'what export p12 wrote', command: '<%= config.bin %> import api.p12 --passphrase-file pass.txt' },
    { description: 'the key in a file of its own, as PKCS#7 leaves it', command: '<%= config.bin %> import api.p7b --key api.key' },
    {
      description: 'of another CA, into any directory',
      command: '<%= config.bin %> import shop.crt chain.pem root.pem --key shop.key --out /etc/shop/tls',
    },
    {
      description: 'opened by one passphrase, and written under another',
      command: '<%= config.bin %> import api.p12 --passphrase-file old.pass --key-passphrase-file new.pass',
    },
  ];
  static override readonly strict = false;
  static override readonly args = { FILE: Args.string({ ignoreStdin: true, description: 'PKCS#12, PEM, PKCS#7 or DER' }) };
  static override readonly flags = {
    workspace: workspaceFlag,
    key: Flags.string({ summary: 'the file of the private key, where it is in none of the others', helpValue: 'FILE' }),
    out: Flags.string({ char: 'o', summary: 'the directory to write into [default: the service of the workspace]', helpValue: 'DIR' }),
    force: Flags.boolean({ summary: 'replace what is there, though it is newer' }),
    ...passphraseFlags,
    ...keyPassphraseFlags,
  };

  protected override async execute(): Promise<Outcome> {
    const { argv, flags } = await this.parse(Import);
    const paths = oneOrMore(argv, 'a file with a certificate', 'mtls import api.p12');
    const workspace = openFor(flags);
    const files = flags.key === undefined ? paths : [...paths, flags.key];
    const found = await findIn(files, passphraseSource(flags), namesPassphrase(flags));
    const options: ImportOptions = {
      path: paths[0]!,
      words: flags.key === undefined ? paths : [...paths, '--key', flags.key],
      keyPassphrase: await keyPassphraseOf(flags),
      force: flags.force,
    };
    const write = (tell: (what: string) => void) =>
      flags.out === undefined
        ? importService(workspace!, found, options, systemClock, { tell })
        : importInto(flags.out, workspace, found, options, systemClock);
    const result = importedView(await withProgress('importing', write));
    return { result, text: () => renderImported(result) };
  }
}

/** With --out there need be none: it may know the root. */
function openFor({
  workspace,
  out,
}: {
  readonly workspace?: string | undefined;
  readonly out?: string | undefined;
}): Workspace | undefined {
  try {
    return openWorkspace(workspace, process.cwd());
  } catch (error) {
    if (out !== undefined && workspace === undefined && isError(error, 'WORKSPACE_NOT_FOUND')) return undefined;
    throw error;
  }
}
