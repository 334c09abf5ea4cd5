import { MtlsError } from '../../errors.js';
import type { CaCertified, Delegated, Issued } from './ledger.js';
import type { LedgerView } from './ledger-view.js';

/** A certificate that the ledger knows: of a service, of a CA, or for an errand of one. */
export type Known = Issued | CaCertified | Delegated;

/** What a revocation is about. */
export interface RevokeTarget {
  /** The name of a service, a serial number in hex, or a SHA-256 fingerprint, with or without colons. */
  readonly what: string;
  /** Of a name: what has ended already, too. */
  readonly all?: boolean;
}

/**
 * What the ledger knows under a name (still alive, or else the last one), a serial number or a fingerprint. No workspace
 * revokes its own root. Throws SERIAL_NOT_FOUND.
 */
export function findTargets(view: LedgerView, { what, all = false }: RevokeTarget, now: Date): readonly Known[] {
  const named = view.issued('name', what);
  const alive = named.filter(({ notAfter }) => notAfter >= now);
  if (named.length > 0) return all ? named : alive.length > 0 ? alive : named.slice(-1);
  const found = findCertificate(view, what);
  if (found === undefined || (found.event === 'ca' && found.issuer === found.key))
    throw new MtlsError('SERIAL_NOT_FOUND', { serial: what });
  return [found];
}

/** The certificate that has this serial number or fingerprint, in hex, with or without colons and `0x`. */
export function findCertificate(view: LedgerView, what: string): Known | undefined {
  const hex = asHexNumber(what);
  if (hex === undefined) return undefined;
  const isIt = ({ sha256, serial }: Known): boolean => sha256 === hex || withoutZeros(serial) === withoutZeros(hex);
  const ofCa = view.others.find((entry) => (entry.event === 'ca' || entry.event === 'delegated') && isIt(entry));
  return view.issued('sha256', hex)[0] ?? view.issued('serial', hex)[0] ?? (ofCa as CaCertified | Delegated | undefined);
}

/** Hex digits as a serial number or a fingerprint of SHA-256 has them, of any case, and with what is written between and before them. */
export function asHexNumber(text: string): string | undefined {
  const hex = text.replaceAll(':', '').replace(/^0x/i, '').toLowerCase();
  return /^[0-9a-f]{1,64}$/.test(hex) ? hex : undefined;
}

const withoutZeros = (hex: string): string => hex.replace(/^0+/, '');
