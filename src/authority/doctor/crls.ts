import * as fs from 'node:fs';
import { CRL_FILE_LIMIT, readFileBounded } from '../../base/files.js';
import { DAY } from '../../base/duration.js';
import { verifySignature } from '../../pki/algorithms.js';
import type { Certificate } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { isoTime } from '../../pki/fields.js';
import { crlsIn, readCertificates } from '../../pki/material.js';
import { labelOf } from '../../pki/name.js';
import { type Ca, caId, hasKey } from '../cas/cas.js';
import { numberOf, standingCrl } from '../revocation/crl.js';
import type { Examined } from './examined.js';
import { type DoctorCode, type DoctorFinding, attempt, found, ours } from './findings.js';

/** How long before its end a CRL is told of whose CA has its key elsewhere: somebody must fetch it. */
const FETCHING = 30 * DAY;

/** The CRL of each CA: there, of that CA, in force, and the last of which the ledger knows. */
export const checkCrls = (examined: Examined): DoctorFinding[] => [
  ...examined.cas.flatMap((ca) => crlFindings(ca, examined)),
  ...betweenFindings(examined),
];

/** The CRLs of a company's CAs, which somebody else signs and brings. */
function betweenFindings({ paths: { chain, chainCrls: file }, now }: Examined): DoctorFinding[] {
  if (!fs.existsSync(chain)) return [];
  const findings: DoctorFinding[] = [];
  const between = attempt(chain, [], () => readCertificates(chain)) ?? [];
  const crls = fs.existsSync(file) ? attempt(file, findings, () => crlsIn(readFileBounded(file, CRL_FILE_LIMIT), file)) : [];
  if (crls === undefined) return findings;
  return between.flatMap((certificate) => {
    const label = labelOf(certificate.subject);
    const remedy = `get the next CRL of ${label} from whoever has the key, and put it into ${file}`;
    const say: Say = (code, problem) => found(code, file, `the CRL of ${label}: ${problem}`, remedy);
    const crl = crls.find((each) => isCrlBy(each, certificate));
    return crl === undefined ? [say('CRL_MISSING', `expected one in ${file}, found none`)] : timeFinding(crl, now, false, say);
  });
}

const isCrlBy = ({ signatureAlgorithm, tbs, signature }: Crl, { publicKey }: Certificate): boolean =>
  verifySignature(signatureAlgorithm, tbs, signature, publicKey) === 'valid';

function crlFindings(ca: Ca, { paths, ledger, now }: Examined): DoctorFinding[] {
  const path = ca.paths.crl;
  const label = labelOf(ca.certificate.subject);
  const isHere = hasKey(ca);
  const remedy = isHere
    ? ours('crl', paths.directory)
    : `get the next CRL from whoever has the key, or: ${ours('authority unseal FILE', paths.directory)}`;
  const say = (code: DoctorCode, problem: string, mend = remedy): DoctorFinding =>
    found(code, path, `the CRL of ${label}: ${problem}`, mend);
  const findings: DoctorFinding[] = [];
  const crl = attempt(path, findings, () => standingCrl(ca));
  if (findings.length > 0) return findings;
  if (crl === undefined) return [say('CRL_MISSING', `expected one at ${path}, found none that can be read`)];
  if (!isCrlBy(crl, ca.certificate)) return [say('CRL_FOREIGN', 'expected the signature of this CA, found another')];
  const behind = numberFinding(crl, highestOf(caId(ca.certificate)), say, `put ${paths.ledger} back from a backup`);
  return [...behind, ...timeFinding(crl, now, isHere, say)];

  function highestOf(issuer: string): number | undefined {
    const numbers = ledger.flatMap((entry) => (entry.event === 'crl' && entry.issuer === issuer ? [entry.number] : []));
    return numbers.length === 0 ? undefined : numbers.reduce((a, b) => Math.max(a, b));
  }
}

type Say = (code: DoctorCode, problem: string, mend?: string) => DoctorFinding;

function numberFinding(crl: Crl, noted: number | undefined, say: Say, restore: string): DoctorFinding[] {
  const number = numberOf(crl);
  // of a CA whose key was never here the ledger has no numbers
  if (noted === undefined || number === BigInt(noted)) return [];
  const problem = `expected number ${noted}, the last that the ledger knows, found ${number}`;
  return [number < BigInt(noted) ? say('CRL_BEHIND', problem) : say('CRL_AHEAD', problem, restore)];
}

function timeFinding({ thisUpdate, nextUpdate = thisUpdate }: Crl, now: Date, isHere: boolean, say: Say): DoctorFinding[] {
  const at = now.getTime();
  const end = isoTime(nextUpdate);
  if (at > nextUpdate) return [say('CRL_LATE', `expected the next one by ${end}, now is ${isoTime(now)}`)];
  if (isHere && at > (thisUpdate + nextUpdate) / 2) return [say('CRL_DUE', `half of its time is over, it ends ${end}`)];
  if (!isHere && nextUpdate - at < FETCHING) return [say('CRL_ENDS_SOON', `it ends ${end}, and the key of its CA is not here`)];
  return [];
}
