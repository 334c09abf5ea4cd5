import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { PROFILES, issueCertificates, issuedView, openWorkspace } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { readFileBounded } from '../base/files.js';
import { BaseCommand } from '../cli/base-command.js';
import { listFlag, oneOrMore, workspaceFlag } from '../cli/flags.js';
import { given } from '../cli/given.js';
import { interruption } from '../cli/interruption.js';
import type { Outcome } from '../cli/outcome.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { withProgress } from '../cli/output.js';
import { MtlsError } from '../errors.js';
import { KEY_TYPES } from '../pki/key.js';
import { csrIn } from '../pki/material.js';
import { renderIssued } from '../render/authority.js';

export default class Issue extends BaseCommand {
  static override readonly summary = 'issue certificates to services';
  static override readonly description =
    'Each service gets tls.crt, tls.key and ca.crt in .mtls/services/NAME, its SPIFFE ID and DNS names in the certificate. Issuing again replaces the files at once; the certificate before stays valid until it ends or is revoked.';
  static override readonly examples = [
    { description: 'two services that are client and server to each other', command: '<%= config.bin %> issue api web' },
    {
      description: 'a server with a public name, for a month',
      command: '<%= config.bin %> issue gateway --for server --dns shop.test --valid 30d',
    },
    { description: 'a service of another namespace', command: '<%= config.bin %> issue ledger --namespace billing' },
    { description: 'for a key that never leaves its owner', command: '<%= config.bin %> issue partner --csr partner.csr' },
  ];
  static override readonly strict = false;
  static override readonly args = { NAME: Args.string({ ignoreStdin: true, description: 'a service: a DNS label such as api' }) };
  static override readonly flags = {
    workspace: workspaceFlag,
    for: Flags.option({ options: PROFILES, summary: 'what the certificate may be used for; peer is both', default: 'peer' as const })(),
    namespace: Flags.string({ summary: 'namespace of the services', default: 'default' }),
    dns: listFlag('a further DNS name', 'NAME'),
    ip: listFlag('a further IP address', 'ADDR'),
    uri: Flags.string({ summary: 'the URI of the certificate, instead of its SPIFFE ID' }),
    localhost: Flags.boolean({ summary: 'what serves may be called localhost, 127.0.0.1 and ::1', default: true, allowNo: true }),
    ...validityFlags('life', 90),
    'key-type': Flags.option({ options: KEY_TYPES, summary: 'key of the service [default: as the root]' })(),
    csr: Flags.string({ summary: 'sign the key of this certification request', helpValue: 'FILE', exclusive: ['key-type'] }),
  };

  protected override async execute(): Promise<Outcome> {
    const { argv, flags } = await this.parse(Issue);
    const names = oneOrMore(argv, 'the name of a service', 'mtls issue api');
    const several = names.length > 1 ? (['csr', 'uri'] as const).find((flag) => flags[flag] !== undefined) : undefined;
    if (several !== undefined) throw new MtlsError('USAGE', { problem: `--${several} is for one service, found ${names.length} names` });
    const workspace = openWorkspace(flags.workspace, process.cwd());
    const request = given({
      namespace: flags.namespace,
      profile: flags.for,
      dns: flags.dns,
      ip: flags.ip,
      uri: flags.uri,
      withoutLocalhost: !flags.localhost,
      validity: validityOf(flags),
      keyType: flags['key-type'],
      csr: flags.csr === undefined ? undefined : { path: flags.csr, request: csrIn(readFileBounded(flags.csr), flags.csr) },
    });
    const requests = names.map((name) => ({ name, ...request }));
    const { signal } = interruption;
    const issued = await withProgress('issuing', (tell) => issueCertificates(workspace, requests, systemClock, { signal, tell }));
    const result = issued.map(issuedView);
    return { result: { issued: result }, text: () => renderIssued(result) };
  }
}
