import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { join } from 'node:path';
import { systemClock } from '../base/clock.js';
import { BaseCommand } from '../cli/base-command.js';
import { runBatch } from '../cli/batch.js';
import { deploymentFlags, verifyDeployment } from '../cli/deployment.js';
import { oneOrMore, workspaceFlag } from '../cli/flags.js';
import { formatFlag } from '../cli/format.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { verificationFlags, verifyFiles } from '../cli/verification.js';
import { EXIT } from '../errors.js';
import { verifiedReport } from '../render/formats/verified.js';
import { renderVerified } from '../render/verify.js';
import { FINDINGS, batchAnswerer, refusal } from '../validate/index.js';

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
    { description: 'which rule fails, and where', command: '<%= config.bin %> verify tls.crt --ca ca.crt --purpose client --explain' },
    { description: 'would it be good at New Year?', command: '<%= config.bin %> verify tls.crt --ca ca.crt --at 2027-01-01T00:00:00Z' },
    { description: 'a tree of services: who could talk to whom?', command: '<%= config.bin %> verify --dir deploy --pairs' },
    { description: 'in CI: for code scanning', command: '<%= config.bin %> verify deploy/*.crt --ca ca.crt --format sarif > mtls.sarif' },
    { description: 'a thousand of them', command: '<%= config.bin %> verify --batch requests.jsonl' },
  ];
  static override readonly strict = false;
  static override readonly args = { CERT: Args.string({ ignoreStdin: true, description: 'a file with a certificate, or its chain' }) };
  static override readonly flags = {
    workspace: workspaceFlag,
    format: formatFlag,
    ...verificationFlags,
    ...deploymentFlags,
    explain: Flags.boolean({ summary: 'draw the path, each certificate with the rules that it passed and those that it did not' }),
    batch: Flags.string({
      summary: 'answer a JSON object a line: {"id","leaf","roots",…} in PEM; - is stdin',
      helpValue: 'FILE|-',
      exclusive: ['format', 'explain', ...Object.keys(verificationFlags)],
    }),
  };

  protected override async execute(): Promise<Outcome | undefined> {
    const { argv, flags } = await this.parse(Verify);
    const now = systemClock();
    if (flags.batch !== undefined) {
      const others = { module: join(this.config.root, 'dist', 'validate', 'batch-process.js'), data: now.getTime() };
      return runBatch(flags.batch, argv, { answer: batchAnswerer(now), refusal, others });
    }
    const { dir } = flags;
    if (dir !== undefined) return verifyDeployment({ ...flags, dir }, argv);
    const files = oneOrMore(argv, 'a certificate to verify', 'mtls verify tls.crt --ca ca.crt');
    const { result, unread } = await verifyFiles(files, flags, now, flags.explain);
    return {
      ...{ result, text: () => renderVerified(result), report: () => verifiedReport(result, FINDINGS, process.cwd()) },
      exitCode: unread.length > 0 ? EXIT.could_not : verdict(result.valid),
    };
  }
}
