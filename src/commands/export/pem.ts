import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { destinationOf, exportArgs, exportFlags, keyOf, subjectOf, writeExport } from '../../cli/exporting.js';
import type { Outcome } from '../../cli/outcome.js';
import { newPassphrase, passphraseFlags, passphraseSource } from '../../cli/passphrase.js';
import { MtlsError } from '../../errors.js';
import { pkcs8Of } from '../../pki/key.js';
import { pkcs8ToPem } from '../../pki/pbes2.js';
import { toPem } from '../../pki/pem.js';

export default class ExportPem extends BaseCommand {
  static override readonly summary = 'write the key and the chain of a service into one PEM file';
  static override readonly description =
    'The key comes first (PKCS#8), then the certificate of the service and those between it and the root. A file with a key has mode 0600.';
  static override readonly examples = [
    { description: 'key and chain, as HAProxy and many databases want them: api.pem', command: '<%= config.bin %> export pem api' },
    { description: 'the key under a passphrase', command: '<%= config.bin %> export pem api --encrypt --passphrase-file pass.txt' },
    { description: 'the chain alone', command: '<%= config.bin %> export pem api --no-key --out chain.pem' },
    { description: 'the certificate alone, in DER: api.der', command: '<%= config.bin %> export pem api --der' },
    { description: 'the CAs to trust: trust.pem', command: '<%= config.bin %> export pem --trust' },
  ];
  static override readonly args = exportArgs;
  static override readonly flags = {
    ...exportFlags('pem'),
    key: Flags.boolean({ summary: 'with the private key', default: true, allowNo: true }),
    encrypt: Flags.boolean({ summary: 'put the key under a passphrase', exclusive: ['der', 'trust'] }),
    der: Flags.boolean({ summary: 'one certificate and nothing else, in DER' }),
    ...passphraseFlags,
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(ExportPem);
    if (flags.encrypt && !flags.key) throw new MtlsError('USAGE', { problem: '--encrypt is for the key, and --no-key leaves it out' });
    const subject = subjectOf(flags, args.NAME);
    const path = destinationOf(flags, subject, flags.der ? 'der' : 'pem');
    if (flags.der) {
      const certificates = subject.service === undefined ? subject.chain : subject.chain.slice(0, 1);
      if (certificates.length > 1)
        throw new MtlsError('USAGE', {
          problem: `--der writes one certificate, found ${certificates.length}`,
          hint: 'mtls export pem --trust',
        });
      return writeExport(path, subject, { bytes: certificates[0]!.der, format: 'der', key: false, encrypted: false, certificates });
    }
    const source = passphraseSource(flags);
    const hasKey = flags.key && subject.service !== undefined;
    const key = hasKey ? await keyOf(subject, source, 'mtls export pem --no-key') : undefined;
    const passphrase = flags.encrypt ? await newPassphrase(flags, path, source) : undefined;
    const keyText = key === undefined ? '' : pkcs8ToPem(pkcs8Of(key), passphrase);
    const bytes = keyText + subject.chain.map(({ der }) => toPem('CERTIFICATE', der)).join('');
    return writeExport(path, subject, {
      bytes,
      format: 'pem',
      key: hasKey,
      encrypted: passphrase !== undefined,
      certificates: subject.chain,
    });
  }
}
