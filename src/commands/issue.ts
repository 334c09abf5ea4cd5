import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { IssueRequest, IssueResult } from '../authority/index.js';
import { issuedView } from '../authority/views.js';
import { readFileBounded } from '../base/files.js';
import { given } from '../base/given.js';
import { BaseCommand } from '../cli/base-command.js';
import { listFlag, oneOrMore } from '../cli/flags.js';
import { issueWithProgress } from '../cli/issuing.js';
import type { Outcome } from '../cli/outcome.js';
import { keyPassphraseFlags, keyPassphraseOf } from '../cli/passphrase.js';
import { smokeTests } from '../cli/smoke.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { authorityFlags, openAuthority } from '../cli/workspace.js';
import { EXIT, MtlsError } from '../errors.js';
import { KEY_TYPES, publicKeyIn } from '../pki/key.js';
import { csrIn } from '../pki/material.js';
import { renderIssued, renderProblems } from '../render/authority.js';

/** What a file says for each service by itself. */
const OF_ONE = ['namespace', 'dns', 'ip', 'uri', 'localhost', 'days', 'valid', 'key-type', 'csr', 'key'];

/** Of a key that is not ours to see nothing is written. */
const KEY_PASSPHRASES = Object.keys(keyPassphraseFlags);

export default class Issue extends BaseCommand {
  static override readonly summary = 'issue certificates to services';
  static override readonly description =
    'Each service gets tls.crt, tls.key and ca.crt in .mtls/services/NAME, its SPIFFE ID and DNS names in the certificate. Issuing again replaces the files at once; the certificate before stays valid until it ends or is revoked. What a CA may not sign, or policy.yaml does not allow, is refused. Before a certificate is let out it is verified; at a terminal a handshake is made with it as well.';
  static override readonly examples = [
    { description: 'two services that are client and server to each other', command: '<%= config.bin %> issue api web' },
    {
      description: 'a server with a public name, for a month',
      command: '<%= config.bin %> issue gateway --for server --dns shop.test --valid 30d',
    },
    { description: 'a service of another namespace', command: '<%= config.bin %> issue ledger --namespace billing' },
    { description: 'for a key that never leaves its owner', command: '<%= config.bin %> issue partner --csr partner.csr' },
    { description: 'its key under a passphrase', command: '<%= config.bin %> issue api --key-passphrase-file api.pass' },
    { description: 'many, from a list in YAML, CSV or JSON lines', command: '<%= config.bin %> issue --from services.yaml' },
  ];
  static override readonly strict = false;
  static override readonly args = { NAME: Args.string({ ignoreStdin: true, description: 'a service: a DNS label such as api' }) };
  static override readonly flags = {
    ...authorityFlags,
    for: Flags.string({ summary: 'server, client, peer (both), or a profile of yours [default: peer]', helpValue: 'PROFILE' }),
    namespace: Flags.string({ summary: 'namespace of the services [default: default]' }),
    dns: listFlag('a further DNS name', 'NAME'),
    ip: listFlag('a further IP address', 'ADDR'),
    uri: Flags.string({ summary: 'the URI of the certificate, instead of its SPIFFE ID' }),
    localhost: Flags.boolean({ summary: 'what serves may be called localhost, 127.0.0.1 and ::1 [default: true]', allowNo: true }),
    ...validityFlags('life', 90),
    'key-type': Flags.option({ options: KEY_TYPES, summary: 'key of the service [default: as the CA]' })(),
    csr: Flags.string({
      summary: 'sign the key of this certification request',
      helpValue: 'FILE',
      exclusive: ['key-type', 'key', ...KEY_PASSPHRASES],
    }),
    key: Flags.string({
      summary: 'certify this key, which stays where it is',
      helpValue: 'FILE',
      exclusive: ['key-type', ...KEY_PASSPHRASES],
    }),
    from: Flags.string({ summary: 'a list of services, in .yaml, .csv or .jsonl', helpValue: 'FILE', exclusive: OF_ONE }),
    'all-or-nothing': Flags.boolean({ summary: 'when one entry is wrong, issue none', dependsOn: ['from'] }),
    ...keyPassphraseFlags,
    smoke: Flags.boolean({ summary: 'shake hands with what was issued [default at a terminal]', allowNo: true }),
  };

  protected override async execute(): Promise<Outcome> {
    const { argv, flags } = await this.parse(Issue);
    const workspace = openAuthority(flags);
    const keyPassphrase = await keyPassphraseOf(flags);
    if (flags.from !== undefined) {
      if (argv.length > 0) throw new MtlsError('USAGE', { problem: '--from names the services, and there are others on the command line' });
      const { issueFromFile } = await import('../cli/services.js');
      const { issued, problems } = await issueFromFile(workspace, flags.from, flags['all-or-nothing'], keyPassphrase);
      const outcome = await issuedOutcome(issued, flags.smoke, keyPassphrase);
      if (problems.length === 0) return outcome;
      const text = (): string => [outcome.text(), renderProblems(flags.from!, problems)].filter(Boolean).join('\n');
      return { result: { ...outcome.result, problems }, text, exitCode: EXIT.bad };
    }
    const names = oneOrMore(argv, 'the name of a service', 'mtls issue api');
    const several = names.length > 1 ? (['csr', 'key', 'uri'] as const).find((flag) => flags[flag] !== undefined) : undefined;
    if (several !== undefined) throw new MtlsError('USAGE', { problem: `--${several} is for one service, found ${names.length} names` });
    const request: Omit<IssueRequest, 'name'> = given({
      namespace: flags.namespace,
      profile: flags.for,
      dns: flags.dns,
      ip: flags.ip,
      uri: flags.uri,
      withoutLocalhost: flags.localhost === false ? true : undefined,
      validity: validityOf(flags),
      keyType: flags['key-type'],
      keyPassphrase,
      csr: flags.csr === undefined ? undefined : { path: flags.csr, request: csrIn(readFileBounded(flags.csr), flags.csr) },
      publicKey: flags.key === undefined ? undefined : publicKeyIn(readFileBounded(flags.key), flags.key),
    });
    const requests = names.map((name) => ({ name, ...request }));
    return issuedOutcome(await issueWithProgress(workspace, requests), flags.smoke, keyPassphrase);
  }
}

async function issuedOutcome(issued: readonly IssueResult[], wantsSmoke: boolean | undefined, keyPassphrase: string | undefined) {
  const handshakes = await smokeTests(issued, wantsSmoke, keyPassphrase);
  const views = issued.map((one) => ({ ...issuedView(one), handshake: handshakes.get(one.entry.name) ?? null }));
  return { result: { issued: views }, text: () => renderIssued(views) };
}
