import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { destinationOf, exportArgs, exportFlags, keyOf, subjectOf, writeExport } from '../../cli/exporting.js';
import type { Outcome } from '../../cli/outcome.js';
import { newPassphrase, passphraseFlags, passphraseSource } from '../../cli/passphrase.js';
import { writePkcs12, writeTrustStore } from '../../pki/pkcs12-write.js';

export default class ExportP12 extends BaseCommand {
  static override readonly summary = 'write the key and the chain of a service into a PKCS#12 file';
  static override readonly description =
    'For Java, browsers, Windows: the key and the whole chain in one file under a passphrase, which is asked for where no flag names it. AES-256 and 600,000 iterations; what is older than Java 8u301 or Windows Server 2019 may want --legacy. With --trust it holds the CAs alone, each as a trusted entry of Java, which takes only ASCII in a passphrase.';
  static override readonly examples = [
    { description: 'a key store: api.p12', command: '<%= config.bin %> export p12 api' },
    { description: 'in a script', command: '<%= config.bin %> export p12 api --passphrase-file pass.txt' },
    { description: 'a trust store for Java', command: '<%= config.bin %> export p12 --trust --out truststore.p12' },
    { description: 'for an old reader: triple DES and SHA-1', command: '<%= config.bin %> export p12 api --legacy' },
    {
      description: 'the passphrase from where it is kept',
      command: "<%= config.bin %> export p12 api --passphrase-command 'pass show api'",
    },
  ];
  static override readonly args = exportArgs;
  static override readonly flags = {
    ...exportFlags('p12'),
    legacy: Flags.boolean({ summary: 'triple DES and SHA-1, for readers that know no AES' }),
    ...passphraseFlags,
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(ExportP12);
    const subject = subjectOf(flags, args.NAME);
    const path = destinationOf(flags, subject, 'p12');
    const { service, fullChain: certificates } = subject;
    const source = passphraseSource(flags);
    const key = service === undefined ? undefined : await keyOf(subject, source, 'mtls export p7b');
    const protection = { passphrase: await newPassphrase(flags, path, source), legacy: flags.legacy };
    const bytes =
      service === undefined || key === undefined
        ? writeTrustStore({ trusted: certificates, ...protection })
        : writePkcs12({ certificates, key, friendlyName: service.name, ...protection });
    return writeExport(path, subject, { bytes, format: 'p12', key: key !== undefined, encrypted: true, certificates });
  }
}
