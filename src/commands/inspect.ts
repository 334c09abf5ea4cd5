import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { existsSync } from 'node:fs';
import type { KnownCertificate } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { runBatch } from '../cli/batch.js';
import { BaseCommand } from '../cli/base-command.js';
import { looksLikeEndpoint } from '../cli/endpoints.js';
import { exported } from '../cli/exported.js';
import { oneOrMore, workspaceFlag } from '../cli/flags.js';
import { knownCertificatesOf, looksLikeSerial } from '../cli/known-certificates.js';
import { oddIn } from '../cli/odd.js';
import { inspectOpening } from '../cli/opening.js';
import type { Outcome } from '../cli/outcome.js';
import { passphraseFlags, passphraseSource } from '../cli/passphrase.js';
import { assertNoVisitor, visitorOf } from '../cli/visitor.js';
import { EXIT, MtlsError } from '../errors.js';
import { inspectLine, inspectRefusal } from '../pki/batch.js';
import { type Inspected, describeInspected } from '../pki/inspect.js';
import { type ShownEndpoint, renderInspection, renderUnreadable } from '../render/inspect.js';
import { renderKnownCertificate } from '../render/known-certificate.js';
import { identityOf } from '../validate/identity.js';

export default class Inspect extends BaseCommand {
  static override readonly summary = 'say what is in a file, at a server, or behind a serial number';
  static override readonly description =
    'Certificates, chains, CRLs, certification requests, keys, bundles, PKCS#7 and PKCS#12, in PEM or DER. Nothing is judged but one thing: given keys and certificates together, exits 1 when a key belongs to none of them. What is odd is said (mtls lint judges it). A serial number or SHA-256 fingerprint in hex, where no file has that name, is looked up in the ledger of the workspace.';
  static override readonly examples = [
    { description: 'a certificate and its key: do they belong together?', command: '<%= config.bin %> inspect tls.crt tls.key' },
    { description: 'what a server shows', command: '<%= config.bin %> inspect api.shop.test:443' },
    { description: 'and one that wants a client certificate', command: '<%= config.bin %> inspect localhost:8443 --as web' },
    { description: 'who had this one issued, and is it revoked?', command: '<%= config.bin %> inspect 4f9d62ab07c1e83355aa9e0c1d2b6f70' },
    { description: 'a PKCS#12 file', command: '<%= config.bin %> inspect store.p12 --passphrase-file pass.txt' },
    { description: 'a PKCS#7 bundle as PEM', command: '<%= config.bin %> inspect chain.p7b --pem > chain.pem' },
    { description: 'the names in a certificate', command: "<%= config.bin %> inspect tls.crt --json | jq '.items[0].fields.dns'" },
  ];
  static override readonly strict = false;
  static override readonly args = {
    FILE: Args.string({ ignoreStdin: true, description: 'a file, HOST:PORT, or a serial number or SHA-256 fingerprint in hex' }),
  };
  static override readonly flags = {
    workspace: workspaceFlag,
    ...passphraseFlags,
    pem: Flags.boolean({ summary: 'print it as PEM, certificates first; never a private key', exclusive: ['json', 'der', 'batch'] }),
    der: Flags.boolean({ summary: 'write it as DER, if it is one thing; never a private key', exclusive: ['json', 'batch'] }),
    as: Flags.string({ summary: 'to HOST:PORT, be this service of the workspace', helpValue: 'SERVICE' }),
    cert: Flags.string({ summary: 'or have this client certificate, with its chain', helpValue: 'FILE' }),
    key: Flags.string({ summary: 'its private key', helpValue: 'FILE' }),
    servername: Flags.string({ summary: 'the server name to send [default: HOST]', helpValue: 'NAME' }),
    starttls: Flags.string({ summary: 'begin in clear text, as mtls probe does', helpValue: 'PROTOCOL' }),
    batch: Flags.string({ summary: 'answer a JSON object a line: {"id","kind","data"}; - is stdin', helpValue: 'FILE|-' }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { argv, flags } = await this.parse(Inspect);
    if (flags.batch !== undefined) return runBatch(flags.batch, argv, { answer: inspectLine, refusal: inspectRefusal });
    const sources = oneOrMore(argv, 'a file, HOST:PORT or serial number to inspect', 'mtls inspect --help');
    const passphrase = passphraseSource(flags);
    const servers = sources.filter((source) => !existsSync(source) && looksLikeEndpoint(source));
    const visit = servers.length > 0 ? await visitorOf({ ...flags, passphrase }, await import('../probe/index.js')) : undefined;
    if (visit === undefined) assertNoVisitor(flags);
    const now = systemClock();
    const serials = sources.filter((source) => !existsSync(source) && !servers.includes(source) && looksLikeSerial(source));
    const find = serials.length > 0 ? await knownCertificatesOf({ flags, passphrase, now }) : undefined;
    const certificates: KnownCertificate[] = [];
    const found: Inspected[] = [];
    const endpoints: ShownEndpoint[] = [];
    const unreadable: { readonly source: string; readonly error: MtlsError }[] = [];
    for (const source of sources) {
      try {
        if (serials.includes(source)) {
          const known = await find!(source);
          certificates.push(known.certificate);
          found.push(...known.items);
        } else if (!servers.includes(source)) found.push(...(await inspectOpening(source, flags, passphrase)));
        else {
          const { items, endpoint, malformed } = await visit!(source);
          found.push(...items);
          endpoints.push(endpoint);
          unreadable.push(...malformed.map((error) => ({ source, error })));
        }
      } catch (error) {
        if (!(error instanceof MtlsError) || sources.length === 1) throw error;
        unreadable.push({ source, error });
      }
    }
    if (flags.pem || flags.der) {
      if (unreadable.length > 0) throw unreadable[0]!.error;
      return exported(found, flags.der ? 'der' : 'pem');
    }
    const items = describeInspected(found, { now, identityOf, oddIn: await oddIn(found, now) });
    const errors = unreadable.map(({ source, error: { code, message, hints } }) => ({ source, code, message, hints }));
    const beside = Object.entries({ certificates, endpoints, errors }).filter(([, all]) => all.length > 0);
    const strayKey = items.some((item) => item.kind === 'private-key' && item.belongsTo?.length === 0);
    return {
      result: { items, ...Object.fromEntries(beside) },
      text: () =>
        [
          ...certificates.map((one) => renderKnownCertificate(one, now)),
          renderInspection({ items, endpoints, now }),
          ...unreadable.map((one) => renderUnreadable(one.error)),
        ]
          .filter((part) => part !== '')
          .join('\n\n'),
      exitCode: errors.length > 0 ? EXIT.could_not : strayKey ? EXIT.bad : EXIT.good,
    };
  }
}
