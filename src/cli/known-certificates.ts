import { asHexNumber } from '../authority/ledger/find.js';
import type { KnownCertificate } from '../authority/ledger/known-certificate.js';
import type { Inspected } from '../pki/inspect.js';
import { inspectOpening } from './opening.js';
import type { PassphraseFlags, PassphraseSource } from './passphrase.js';

/** Fewer digits are more likely the name of a file that is not there. */
const LEAST_DIGITS = 8;

/**
 * Could it be a serial number or a fingerprint in hex, as OpenSSL, browsers and we print them, when there is no file of that
 * name? One that is short has `0x` before it, or colons in it.
 */
export function looksLikeSerial(text: string): boolean {
  if (!/^(?:0x)?[0-9a-f]+$|^[0-9a-f]{1,2}(?::[0-9a-f]{2})+$/i.test(text) || asHexNumber(text) === undefined) return false;
  return text.length >= LEAST_DIGITS || /^0x|:/i.test(text);
}

interface Known {
  readonly certificate: KnownCertificate;
  /** The certificate itself, while it is in place. */
  readonly items: readonly Inspected[];
}

interface Settings {
  readonly flags: PassphraseFlags & { readonly workspace?: string | undefined };
  readonly passphrase: PassphraseSource;
  readonly now: Date;
}

/** What finds certificates in the ledger of the workspace, by serial number or fingerprint. Rejects with what opening it throws. */
export async function knownCertificatesOf({ flags, passphrase, now }: Settings): Promise<(what: string) => Promise<Known>> {
  const [{ openWorkspace }, { knownCertificates }] = await Promise.all([
    import('../authority/workspace.js'),
    import('../authority/ledger/known-certificate.js'),
  ]);
  const find = knownCertificates(openWorkspace(flags.workspace, process.cwd()), now);
  return async (what) => {
    const certificate = find(what);
    const found = certificate.files === null ? [] : await inspectOpening(certificate.files.certificate, flags, passphrase);
    return { certificate, items: found.slice(0, 1) };
  };
}
