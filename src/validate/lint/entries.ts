import { serialText } from '../../pki/fields.js';
import { type Crl, revokedEntries } from '../../pki/crl.js';
import { OID, oidName } from '../../pki/oids.js';
import { Counter, type Sample } from './sample.js';

/** What is noteworthy of the entries of a CRL, found in one walk: there may be a million. Entries are told by their serial number. */
export interface EntrySurvey {
  /** The reason `unspecified` written out. */
  readonly unspecified: Sample;
  readonly removeFromCrl: Sample;
  readonly unknownReason: Sample;
  /** Revoked after the CRL was made. */
  readonly future: Sample;
  readonly criticalReason: Sample;
  /** Critical extensions that nobody knows, by object identifier. */
  readonly criticalUnknown: Sample;
  /** Serial numbers that no certificate has: zero or below. */
  readonly notPositive: Sample;
}

/** Extensions of an entry that RFC 5280 §5.3 defines. */
const KNOWN: ReadonlySet<string> = new Set([OID.reasonCode, OID.invalidityDate, OID.certificateIssuer]);

/** Throws CRL_MALFORMED at the first entry that is none. */
export function surveyEntries(crl: Crl): EntrySurvey {
  const found = {
    ...{ unspecified: new Counter(), removeFromCrl: new Counter(), unknownReason: new Counter(), future: new Counter() },
    ...{ criticalReason: new Counter(), criticalUnknown: new Counter(), notPositive: new Counter() },
  };
  for (const { serial, date, reason, extensions } of revokedEntries(crl)) {
    if (date > crl.thisUpdate) found.future.add(serialText(serial));
    if (serial === '00' || serial.charCodeAt(0) > SEVEN) found.notPositive.add(serialText(serial));
    if (extensions.length === 0) continue;
    if (reason === 'unspecified') found.unspecified.add(serialText(serial));
    else if (reason === 'removeFromCRL') found.removeFromCrl.add(serialText(serial));
    else if (typeof reason === 'number') found.unknownReason.add(`${serialText(serial)} (${reason})`);
    for (const { oid, critical } of extensions) {
      if (!critical) continue;
      if (oid === OID.reasonCode) found.criticalReason.add(serialText(serial));
      else if (!KNOWN.has(oid)) found.criticalUnknown.add(`${oidName(oid)} of ${serialText(serial)}`);
    }
  }
  return found;
}

/** A first hexadecimal digit above it is the sign of a negative number. */
const SEVEN = '7'.charCodeAt(0);
