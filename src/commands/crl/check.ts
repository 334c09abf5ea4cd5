import * as Args from '@oclif/core/args';
import { crlPaths, openWorkspace } from '../../authority/index.js';
import { BaseCommand } from '../../cli/base-command.js';
import { listFlag, workspaceFlag } from '../../cli/flags.js';
import { type Outcome, verdict } from '../../cli/outcome.js';
import { MtlsError } from '../../errors.js';
import { lookUpSerial } from '../../pki/crl-scan.js';
import { isoTime } from '../../pki/fields.js';
import { formatName } from '../../pki/name.js';
import { renderSerialChecked } from '../../render/authority.js';

export default class CrlCheck extends BaseCommand {
  static override readonly summary = 'say whether a serial number is in a CRL';
  static override readonly description =
    'It looks the number up and nothing else: whether the CRL is right and in force, verify says. Exits 1 when the number is there.';
  static override readonly examples = [
    { description: 'in the CRLs of the workspace', command: '<%= config.bin %> crl check 4f9d62ab07c1e83355aa9e0c1d2b6f70' },
    { description: 'in one of somebody else', command: '<%= config.bin %> crl check 4F:9D:62:AB --crl ca.crl' },
  ];
  static override readonly args = { SERIAL: Args.string({ ignoreStdin: true, description: 'a serial number in hex', required: true }) };
  static override readonly flags = { workspace: workspaceFlag, crl: listFlag('certificate revocation lists', 'FILE') };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(CrlCheck);
    const serial = asSerial(args.SERIAL);
    const paths = flags.crl ?? crlPaths(openWorkspace(flags.workspace, process.cwd()).paths);
    const found = paths.flatMap((path) =>
      lookUpSerial(path, serial).map(({ issuer, entry }) => {
        return { path, issuer: formatName(issuer), at: isoTime(entry.date), reason: String(entry.reason ?? 'unspecified') };
      }),
    );
    const result = { serial, revoked: found.length > 0, found };
    return { result, text: () => renderSerialChecked(result), exitCode: verdict(!result.revoked) };
  }
}

/** The octets of the INTEGER, as a CRL has them. */
function asSerial(text: string): string {
  const digits = text.replaceAll(':', '').replace(/^0x/i, '').toLowerCase();
  if (!/^[0-9a-f]{1,42}$/.test(digits))
    throw new MtlsError('VALUE_INVALID', { what: 'serial number', found: text, expected: 'hex digits, with or without colons' });
  const octets = digits.replace(/^0+(?=.)/, '').replace(/^(.(..)*)$/, '0$1');
  return Number.parseInt(octets.slice(0, 2), 16) >= 0x80 ? `00${octets}` : octets;
}
