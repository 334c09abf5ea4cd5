import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { runBatch } from '../cli/batch.js';
import { listFlag, oneOrMore, workspaceFlag } from '../cli/flags.js';
import { given } from '../cli/given.js';
import { instantOf } from '../cli/instant.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { crlsFrom, trustOf } from '../cli/trust.js';
import { readCertificates } from '../pki/material.js';
import { labelOf } from '../pki/name.js';
import { renderVerified } from '../render/verify.js';
import { answerLine, refusal, verify } from '../validate/index.js';

export default class Verify extends BaseCommand {
  static override readonly summary = 'say whether certificates are good, and every reason why not';
  static override readonly description =
    'Chain, dates, purpose, name and revocation, by RFC 5280. A file may hold the whole chain, the certificate first. Without --ca, the CA and CRL of the workspace decide. With a CRL, every certificate below the root needs one. Exits 1 when one is not good.';
  static override readonly examples = [
    { description: 'by the workspace: as a server of that name', command: '<%= config.bin %> verify tls.crt --purpose server --host api' },
    {
      description: 'by a CA of your own',
      command: '<%= config.bin %> verify tls.crt --ca ca.crt --intermediates issuing.crt --crl ca.crl',
    },
    { description: 'would it be good at New Year?', command: '<%= config.bin %> verify tls.crt --ca ca.crt --at 2027-01-01T00:00:00Z' },
    { description: 'a thousand of them', command: '<%= config.bin %> verify --batch requests.jsonl' },
  ];
  static override readonly strict = false;
  static override readonly args = { CERT: Args.string({ ignoreStdin: true, description: 'a file with a certificate, or its chain' }) };
  static override readonly flags = {
    workspace: workspaceFlag,
    ca: listFlag('trusted certificates; may be given several times, as the next two', 'FILE'),
    intermediates: listFlag('certificates that may be in the chain', 'FILE'),
    crl: listFlag('certificate revocation lists', 'FILE'),
    purpose: Flags.option({ options: ['server', 'client'] as const, summary: 'what it is to be used for' })(),
    host: Flags.string({ summary: 'the DNS name that it must have', helpValue: 'NAME', exclusive: ['ip', 'uri'] }),
    ip: Flags.string({ summary: 'the address that it must have', helpValue: 'ADDR', exclusive: ['uri'] }),
    uri: Flags.string({ summary: 'the SPIFFE ID that it must have', helpValue: 'ID' }),
    at: Flags.string({ summary: 'the instant to judge for [default: now]', helpValue: 'INSTANT' }),
    batch: Flags.string({ summary: 'answer a JSON object a line: {"id","leaf","roots",…} in PEM; - is stdin', helpValue: 'FILE|-' }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { argv, flags } = await this.parse(Verify);
    const now = systemClock();
    if (flags.batch !== undefined) return runBatch(flags.batch, argv, { answer: (line) => answerLine(line, now), refusal });
    const files = oneOrMore(argv, 'a certificate to verify', 'mtls verify tls.crt --ca ca.crt');
    const trust = await trustOf(flags.ca, flags.workspace);
    const intermediates = (flags.intermediates ?? []).flatMap(readCertificates);
    const crls = flags.crl === undefined ? trust.crls : crlsFrom(flags.crl);
    const { host, ip, uri, purpose } = flags;
    const name = host === undefined ? (ip === undefined ? (uri === undefined ? undefined : { uri }) : { ip }) : { host };
    const at = flags.at === undefined ? now : instantOf(flags.at, '--at');
    const certificates = files.map((file) => {
      const [leaf, ...chain] = readCertificates(file);
      const request = { leaf: leaf!, intermediates: [...chain, ...intermediates], roots: trust.roots, crls, at };
      const { valid, errors, path } = verify({ ...request, ...given({ purpose, name }) });
      return {
        file,
        valid,
        errors: errors.map(({ code, message }) => ({ code, message })),
        path: path.map(({ subject }) => labelOf(subject)),
      };
    });
    const valid = certificates.every((certificate) => certificate.valid);
    const result = { valid, at: at.toISOString(), trust: trust.from, certificates };
    return { result, text: () => renderVerified(result), exitCode: verdict(valid) };
  }
}
