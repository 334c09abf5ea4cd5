import * as Args from '@oclif/core/args';
import { installCa, installedView } from '../../authority/index.js';
import { systemClock } from '../../base/clock.js';
import { BaseCommand } from '../../cli/base-command.js';
import { listFlag } from '../../cli/flags.js';
import type { Outcome } from '../../cli/outcome.js';
import { withProgress } from '../../cli/output.js';
import { crlsFrom } from '../../cli/trust.js';
import { authorityFlags, openAuthority } from '../../cli/workspace.js';
import { readCertificates } from '../../pki/material.js';
import { renderInstalled } from '../../render/authority-keys.js';

export default class AuthorityInstall extends BaseCommand {
  static override readonly summary = "install what your company's CA signed for init --request";
  static override readonly description =
    'The certificate is checked before it is believed: the key is ours, it may sign certificates and CRLs, and its path to a self-signed root holds now, with room for services below it. A renewed certificate for the same key is installed in the same way, and so are newer CRLs of the CAs above: give the certificate that is installed once more.';
  static override readonly examples = [
    {
      description: 'the answer, and the CAs above it with their CRLs',
      command: '<%= config.bin %> authority install issuing.crt --chain company.pem --crl company.crl',
    },
    { description: 'a file that holds all of the chain', command: '<%= config.bin %> authority install answer.p7b --crl company.crl' },
    {
      description: 'the next CRL of the company',
      command: '<%= config.bin %> authority install .mtls/authority/issuing.crt --crl company.crl',
    },
  ];
  static override readonly args = {
    CERT: Args.string({ ignoreStdin: true, required: true, description: 'the certificate (PEM, DER or PKCS#7)' }),
  };
  static override readonly flags = {
    ...authorityFlags,
    chain: listFlag('the CAs above it, up to the root', 'FILE'),
    crl: listFlag('the CRLs of these CAs', 'FILE'),
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(AuthorityInstall);
    const workspace = openAuthority(flags);
    const { chain = [], crl = [] } = flags;
    const options = { certificate: args.CERT, chain: chain.flatMap(readCertificates), crls: crlsFrom(crl) };
    const install = (tell: (what: string) => void) => installCa(workspace, options, systemClock, { tell });
    const result = installedView(await withProgress('installing', install));
    return { result, text: () => renderInstalled(result) };
  }
}
