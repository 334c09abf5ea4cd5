import { isoTime } from '../../pki/fields.js';
import { labelOf } from '../../pki/name.js';
import { standingCrl } from '../revocation/crl.js';
import type { Examined } from './examined.js';
import { type DoctorFinding, attempt, found } from './findings.js';

/** Clocks of machines that share a workspace differ by so much. */
const TOLERANCE = 60_000;

/** Nothing that was made here was made later than now. */
export function checkClock({ paths, cas, services, ledger, now }: Examined): DoctorFinding[] {
  const at = now.getTime();
  const newest = ledger.reduce((latest, entry) => Math.max(latest, entry.at.getTime()), 0);
  const made = [
    ...cas.map(({ paths: { certificate: file }, certificate }) => ({
      file,
      what: labelOf(certificate.subject),
      from: certificate.notBefore,
    })),
    ...cas.flatMap((ca) => {
      const crl = attempt(ca.paths.crl, [], () => standingCrl(ca));
      return crl === undefined ? [] : [{ file: ca.paths.crl, what: `the CRL of ${labelOf(ca.certificate.subject)}`, from: crl.thisUpdate }];
    }),
    ...services.flatMap(({ name, paths: { certificate: file }, certificate }) =>
      certificate === undefined ? [] : [{ file, what: name, from: certificate.notBefore }],
    ),
    { file: paths.ledger, what: 'the newest entry of the ledger', from: newest },
  ];
  return made
    .filter(({ from }) => from > at + TOLERANCE)
    .map(({ file, what, from }) =>
      found('CLOCK_WENT_BACK', file, `${what} is of ${isoTime(from)}, expected no later than now, ${isoTime(now)}`, 'timedatectl'),
    );
}
