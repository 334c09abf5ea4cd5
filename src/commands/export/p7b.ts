import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { destinationOf, exportArgs, exportFlags, subjectOf, writeExport } from '../../cli/exporting.js';
import { listFlag } from '../../cli/flags.js';
import type { Outcome } from '../../cli/outcome.js';
import { crlsFrom } from '../../cli/trust.js';
import { toPem } from '../../pki/pem.js';
import { writePkcs7 } from '../../pki/pkcs7-write.js';

export default class ExportP7b extends BaseCommand {
  static override readonly summary = 'write the chain of a service into a PKCS#7 file';
  static override readonly description =
    'Its certificate, those above it up to the root, and CRLs on wish; never a key. Windows, Java and network gear take this form. With --trust it holds the CAs alone.';
  static override readonly examples = [
    { description: 'the whole chain: api.p7b', command: '<%= config.bin %> export p7b api' },
    { description: 'in DER, for what reads no PEM', command: '<%= config.bin %> export p7b api --der' },
    { description: 'the CAs to trust, with a CRL', command: '<%= config.bin %> export p7b --trust --crl .mtls/authority/root.crl' },
    { description: 'what is in it', command: 'openssl pkcs7 -print_certs -noout -in api.p7b' },
  ];
  static override readonly args = exportArgs;
  static override readonly flags = {
    ...exportFlags('p7b'),
    crl: listFlag('certificate revocation lists to put in', 'FILE'),
    der: Flags.boolean({ summary: 'in DER instead of PEM' }),
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(ExportP7b);
    const subject = subjectOf(flags, args.NAME);
    const path = destinationOf(flags, subject, 'p7b');
    const crls = crlsFrom(flags.crl ?? []);
    const certificates = subject.fullChain;
    const der = writePkcs7({ certificates, crls });
    const bytes = flags.der ? der : toPem('PKCS7', der);
    return writeExport(path, subject, { bytes, format: 'p7b', key: false, encrypted: false, certificates, crls: crls.length });
  }
}
