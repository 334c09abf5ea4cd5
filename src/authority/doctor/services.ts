import { readFileBounded } from '../../base/files.js';
import { shellWord } from '../../errors.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { type Issued, revocationsIn } from '../ledger/ledger.js';
import type { Examined, ExaminedService } from './examined.js';
import { type DoctorFinding, attempt, found } from './findings.js';
import { reissue } from './reissue.js';

/** Each service by what the workspace knows of it; whether its files hold by themselves is for `checkDeployed`. */
export function checkServices(examined: Examined): DoctorFinding[] {
  const issued = new Map(examined.ledger.flatMap((entry) => (entry.event === 'issued' ? [[entry.serial, entry] as const] : [])));
  const last = new Map([...issued.values()].map((entry) => [entry.name, entry]));
  const revoked = revocationsIn(examined.ledger);
  const bundle = attempt(examined.paths.bundle, [], () => readFileBounded(examined.paths.bundle));
  return examined.services.flatMap((service) => {
    const remedy = reissue(service, last.get(service.name), examined);
    return [
      ...standing(service, {
        issued,
        revokedAt: (serial) => revoked.get(serial)?.at,
        hasLedger: examined.ledger.length > 0,
        now: examined.now,
        remedy,
      }),
      ...(bundle === undefined ? [] : bundleFindings(service, examined.paths.bundle, bundle)),
    ];
  });
}

interface Known {
  readonly issued: ReadonlyMap<string, Issued>;
  readonly revokedAt: (serial: string) => Date | undefined;
  /** Of one that cannot be read nothing follows. */
  readonly hasLedger: boolean;
  readonly now: Date;
  readonly remedy: string;
}

/** The worst of what its certificate is: the same command mends all. That it has ended, `checkDeployed` says. */
function standing({ name, paths, certificate }: ExaminedService, { issued, revokedAt, hasLedger, now, remedy }: Known): DoctorFinding[] {
  if (certificate === undefined) return [];
  const { serial, notBefore, notAfter } = certificate;
  const say = (code: Parameters<typeof found>[0], problem: string) => [found(code, paths.certificate, `${name}: ${problem}`, remedy)];
  const revoked = revokedAt(serial);
  if (revoked !== undefined)
    return say('SERVICE_REVOKED', `certificate ${serialText(serial)} was revoked ${isoTime(revoked)}, expected another`);
  if (hasLedger && !issued.has(serial)) return say('SERVICE_UNKNOWN', `expected a certificate of the ledger, found ${serialText(serial)}`);
  const due = notBefore + ((notAfter - notBefore) * 2) / 3;
  if (now.getTime() < due || now.getTime() > notAfter) return [];
  return say('SERVICE_DUE', `expected another certificate by ${isoTime(due)}, two thirds of its life; it ends ${isoTime(notAfter)}`);
}

function bundleFindings({ name, paths: { ca } }: ExaminedService, path: string, bundle: Buffer): DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  const remedy = `cp ${shellWord(path)} ${shellWord(ca)}`;
  const trusted = attempt(ca, findings, () => readFileBounded(ca));
  if (trusted === undefined) return findings.map((finding) => ({ ...finding, remedy }));
  if (trusted.equals(bundle)) return [];
  return [found('SERVICE_BUNDLE_OLD', ca, `${name}: expected in ca.crt what is in ${path}, found something else`, remedy)];
}
