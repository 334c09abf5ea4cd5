import * as Flags from '@oclif/core/flags';
import { existsSync } from 'node:fs';
import {
  asConstraints,
  asHttpUrl,
  initializeWorkspace,
  initializedView,
  requestWorkspace,
  requestedView,
  workspaceDirectory,
} from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { given } from '../base/given.js';
import { BaseCommand } from '../cli/base-command.js';
import { listFlag, workspaceFlag } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import { namesPassphrase, newPassphrase, passphraseFlags } from '../cli/passphrase.js';
import { askForWorkspace, isInteractive } from '../cli/prompts.js';
import { takenFrom } from '../cli/taken.js';
import { validityFlags, validityOf } from '../cli/validity.js';
import { KEY_TYPES } from '../pki/key.js';
import { renderRequested } from '../render/authority-keys.js';
import { renderInitialized } from '../render/authority.js';

/** What a CA of somebody else has already. */
const OF_NEW_CAS = ['issuing-ca', 'days', 'valid', 'permit-dns', 'permit-ip', 'permit-uri', 'exclude-dns', 'exclude-ip', 'exclude-uri'];

export default class Init extends BaseCommand {
  static override readonly summary = 'make a workspace: a root CA and an empty CRL, in .mtls';
  static override readonly description =
    'Name constraints are critical and hold for everything below the CA: peers refuse what it may not sign, and so does issue. An issuing CA lets the key of the root be kept elsewhere (authority seal).';
  static override readonly examples = [
    { description: 'answer a few questions', command: '<%= config.bin %> init' },
    { description: 'ask nothing (in a script)', command: '<%= config.bin %> init --yes' },
    { description: 'your own trust domain and key type', command: '<%= config.bin %> init --trust-domain shop.test --key-type ed25519' },
    {
      description: 'a CA for one domain and one network',
      command: '<%= config.bin %> init --permit-dns .shop.test --permit-ip 10.0.0.0/8',
    },
    { description: 'two CAs, their keys under a passphrase', command: '<%= config.bin %> init --issuing-ca --passphrase-file ca.pass' },
    { description: 'the CA that you have', command: '<%= config.bin %> init --from-ca ca.crt --from-key ca.key --from-chain root.crt' },
    { description: 'a CA for that of your company to sign', command: '<%= config.bin %> init --request --trust-domain shop.test' },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    'trust-domain': Flags.string({ summary: 'the SPIFFE trust domain of all services [default: cluster.local]', helpValue: 'NAME' }),
    'key-type': Flags.option({ options: KEY_TYPES, summary: 'key of the CAs, and of services [default: ecdsa-p256]' })(),
    ...validityFlags('life of the root CA', 3650),
    'issuing-ca': Flags.boolean({ summary: 'a second CA below the root signs the services' }),
    'permit-dns': listFlag('sign only names of this domain: shop.test, or .shop.test for what is below', 'DOMAIN'),
    'permit-ip': listFlag('sign only addresses of this network', 'CIDR'),
    'permit-uri': listFlag('sign only URIs of this host: spiffe://shop.test', 'URI'),
    'exclude-dns': listFlag('never sign names of this domain', 'DOMAIN'),
    'exclude-ip': listFlag('never sign addresses of this network', 'CIDR'),
    'exclude-uri': listFlag('never sign URIs of this host', 'URI'),
    'from-ca': Flags.string({
      summary: 'take over this CA certificate',
      helpValue: 'FILE',
      dependsOn: ['from-key'],
      exclusive: OF_NEW_CAS,
    }),
    'from-key': Flags.string({ summary: 'its private key', helpValue: 'FILE', dependsOn: ['from-ca'] }),
    'from-chain': listFlag('the CAs above it, up to the root', 'FILE'),
    'from-crl': listFlag('the CRL of the CA above it', 'FILE'),
    request: Flags.boolean({ summary: "only a key and a request, for your company's CA to sign", exclusive: ['from-ca', ...OF_NEW_CAS] }),
    'crl-url': Flags.string({ summary: 'where certificates say that their CRL is', helpValue: 'URL' }),
    'ocsp-url': Flags.string({ summary: 'where certificates say that an OCSP responder is', helpValue: 'URL' }),
    ...passphraseFlags,
    'ask-passphrase': Flags.boolean({ summary: 'ask for the passphrase that the keys of the CAs are kept under' }),
    yes: Flags.boolean({ char: 'y', summary: 'ask nothing' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(Init);
    const directory = workspaceDirectory(flags.workspace ?? process.cwd());
    const said = given({
      trustDomain: flags['trust-domain'],
      keyType: flags['key-type'],
      validity: validityOf(flags),
      issuingCa: flags['issuing-ca'] ? true : undefined,
      constraints: asConstraints({
        ...{ permitDns: flags['permit-dns'], permitIp: flags['permit-ip'], permitUri: flags['permit-uri'] },
        ...{ excludeDns: flags['exclude-dns'], excludeIp: flags['exclude-ip'], excludeUri: flags['exclude-uri'] },
      }),
      crlUrl: flags['crl-url'] === undefined ? undefined : asHttpUrl(flags['crl-url'], '--crl-url'),
      ocspUrl: flags['ocsp-url'] === undefined ? undefined : asHttpUrl(flags['ocsp-url'], '--ocsp-url'),
      taken: await takenFrom(flags, systemClock()),
    });
    const hides = flags['ask-passphrase'] || namesPassphrase(flags);
    const isQuiet = flags.request || hides || flags.yes || flags.json;
    const asks = Object.keys(said).length === 0 && !isQuiet && isInteractive() && !existsSync(directory);
    const options = asks ? await askForWorkspace() : said;
    const passphrase = hides ? await newPassphrase(flags, 'the keys of the CAs') : undefined;
    if (flags.request) {
      const result = requestedView(requestWorkspace({ ...options, ...given({ passphrase }), directory, clock: systemClock }));
      return { result, text: () => renderRequested(result) };
    }
    const { workspace } = initializeWorkspace({ ...options, ...given({ passphrase }), directory, clock: systemClock });
    const result = initializedView(workspace);
    return { result, text: () => renderInitialized(result) };
  }
}
