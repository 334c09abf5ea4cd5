import { MtlsError } from '../../errors.js';
import { fingerprint } from '../../pki/certificate.js';
import { caId, everyCaOf, isWaiting } from '../cas/cas.js';
import { currentCertificate } from '../issue/plan.js';
import { numberOf, standingCrl } from '../revocation/crl.js';
import { type Workspace, serviceNames, servicePaths } from '../workspace.js';
import { viewLedger } from './ledger-view.js';

/**
 * What bears witness that lines were cut off at the end of a ledger, which no chain can tell: a CRL with a higher number than the
 * last that it knows, or a certificate in use that is not in it. Undefined where nothing does. Throws LEDGER_CORRUPT.
 */
export function witnessAgainst(workspace: Workspace): string | undefined {
  if (isWaiting(workspace.paths)) return undefined;
  const view = viewLedger(workspace.paths);
  for (const ca of everyCaOf(workspace.paths)) {
    const id = caId(ca.certificate);
    const known = view.others.flatMap((entry) => (entry.event === 'crl' && entry.issuer === id ? [entry.number] : []));
    const crl = attempt(() => standingCrl(ca));
    const highest = known.reduce((a, b) => Math.max(a, b), 0);
    // of somebody else's CRLs it has no numbers
    if (crl !== undefined && known.length > 0 && numberOf(crl) > BigInt(highest))
      return `${ca.paths.crl} has number ${numberOf(crl)}, and the last CRL that it knows has number ${highest}`;
  }
  for (const name of serviceNames(workspace)) {
    const certificate = attempt(() => currentCertificate(workspace, name));
    if (certificate !== undefined && view.issued('sha256', fingerprint(certificate)).length === 0)
      return `it does not know the certificate in ${servicePaths(workspace, name).certificate}`;
  }
  return undefined;
}

/** What cannot be read bears no witness. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MtlsError) return undefined;
    throw error;
  }
}
