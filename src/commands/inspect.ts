import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { existsSync } from 'node:fs';
import { systemClock } from '../base/clock.js';
import { runBatch } from '../cli/batch.js';
import { BaseCommand } from '../cli/base-command.js';
import { looksLikeEndpoint, parseEndpoint } from '../cli/endpoints.js';
import { oneOrMore } from '../cli/flags.js';
import type { Outcome } from '../cli/outcome.js';
import { passphraseFlags, readPassphrase } from '../cli/passphrase.js';
import { EXIT, MtlsError } from '../errors.js';
import { inspectLine, inspectRefusal } from '../pki/batch.js';
import { type Inspected, describeInspected, inspectFile } from '../pki/inspect.js';
import { renderInspection, renderUnreadable } from '../render/inspect.js';

export default class Inspect extends BaseCommand {
  static override readonly summary = 'say what is in a file, or what a server shows';
  static override readonly description =
    'Certificates, chains, CRLs, certification requests, keys, bundles and PKCS#12, in PEM or DER. Nothing is judged but one thing: given keys and certificates together, exits 1 when a key belongs to none of them.';
  static override readonly examples = [
    { description: 'a certificate and its key: do they belong together?', command: '<%= config.bin %> inspect tls.crt tls.key' },
    { description: 'what a server shows', command: '<%= config.bin %> inspect api.shop.test:443' },
    { description: 'a PKCS#12 file', command: '<%= config.bin %> inspect store.p12 --passphrase-file pass.txt' },
    { description: 'the names in a certificate', command: "<%= config.bin %> inspect tls.crt --json | jq '.items[0].fields.dns'" },
  ];
  static override readonly strict = false;
  static override readonly args = { FILE: Args.string({ ignoreStdin: true, description: 'a file, or HOST:PORT' }) };
  static override readonly flags = {
    ...passphraseFlags,
    batch: Flags.string({ summary: 'answer a JSON object a line: {"id","kind","data"}; - is stdin', helpValue: 'FILE|-' }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { argv, flags } = await this.parse(Inspect);
    if (flags.batch !== undefined) return runBatch(flags.batch, argv, { answer: inspectLine, refusal: inspectRefusal });
    const sources = oneOrMore(argv, 'a file or HOST:PORT to inspect', 'mtls inspect --help');
    const passphrase = readPassphrase(flags);
    const found: Inspected[] = [];
    const unreadable: { readonly source: string; readonly error: MtlsError }[] = [];
    for (const source of sources) {
      try {
        found.push(...(existsSync(source) || !looksLikeEndpoint(source) ? inspectFile(source, passphrase) : await inspectServer(source)));
      } catch (error) {
        if (!(error instanceof MtlsError) || sources.length === 1) throw error;
        unreadable.push({ source, error });
      }
    }
    const items = describeInspected(found);
    const errors = unreadable.map(({ source, error: { code, message, hints } }) => ({ source, code, message, hints }));
    const strayKey = items.some((item) => item.kind === 'private-key' && item.belongsTo?.length === 0);
    return {
      result: errors.length === 0 ? { items } : { items, errors },
      text: () =>
        [
          ...(items.length === 0 ? [] : [renderInspection(items, systemClock())]),
          ...unreadable.map((one) => renderUnreadable(one.error)),
        ].join('\n\n'),
      exitCode: errors.length > 0 ? EXIT.could_not : strayKey ? EXIT.bad : EXIT.good,
    };
  }
}

async function inspectServer(source: string): Promise<Inspected[]> {
  const { inspectEndpoint } = await import('../probe/inspect-endpoint.js');
  const { host, port } = parseEndpoint(source);
  const { chain } = await inspectEndpoint(host, port);
  return chain.map((sent): Inspected => {
    if ('certificate' in sent) return { source, kind: 'certificate', value: sent.certificate };
    throw new MtlsError('CERTIFICATE_MALFORMED', { problem: `${sent.problem}, sent by ${source}` });
  });
}
