import { type Certificate, fingerprint, isSelfSigned, isSignedBy } from '../../pki/certificate.js';
import { canonicalName } from '../../pki/name.js';
import type { ChainSubject, Standing } from './subjects.js';

/** How many more signatures are checked than there are certificates, to find out who issued what. */
const SPARE_CHECKS = 64;
/** How many certificates of one name are tried for each. */
const NAMESAKES = 16;

/** Who issued whom among the certificates of a file: found by name, proven by signature. Certificates that stand there twice count once. */
export function standings(certificates: readonly Certificate[]): ReadonlyMap<Certificate, Standing> {
  const distinct = distinctOf(certificates);
  const byName = new Map<string, Certificate[]>();
  for (const certificate of distinct) {
    const name = canonicalName(certificate.subject);
    const namesakes = byName.get(name);
    if (namesakes === undefined) byName.set(name, [certificate]);
    else if (namesakes.length <= NAMESAKES) namesakes.push(certificate);
  }
  let left = distinct.length + SPARE_CHECKS;
  const standingOf = (certificate: Certificate): Standing => {
    const candidates = (byName.get(canonicalName(certificate.issuer)) ?? []).filter((candidate) => candidate !== certificate);
    const named = candidates.filter(({ subjectKeyId }) => subjectKeyId === certificate.authorityKeyId);
    let failed: Certificate | undefined;
    // those with the right key identifier first: the others are tried for the sake of who wrote a wrong one
    for (const candidate of new Set([...named, ...candidates])) {
      if (left-- <= 0) return {};
      const signed = isSignedBy(certificate, candidate);
      if (signed === 'valid') return { issuer: candidate };
      const mayBe = certificate.authorityKeyId === undefined || candidate.subjectKeyId === certificate.authorityKeyId;
      if (signed === 'invalid' && mayBe) failed ??= candidate;
    }
    return failed === undefined || isSignedBy(certificate, certificate) === 'valid' ? {} : { impostor: failed };
  };
  return new Map(certificates.map((certificate) => [certificate, standingOf(certificate)]));
}

function distinctOf(certificates: readonly Certificate[]): Certificate[] {
  const first = new Map<string, Certificate>();
  for (const certificate of certificates) {
    const print = fingerprint(certificate);
    if (!first.has(print)) first.set(print, certificate);
  }
  return [...first.values()];
}

export function chainSubject(certificates: readonly Certificate[], standing: ReadonlyMap<Certificate, Standing>): ChainSubject {
  const leaf = certificates.find(({ basicConstraints }) => basicConstraints?.ca !== true);
  const path = new Set<Certificate>();
  for (let at = leaf; at !== undefined && !path.has(at); at = standing.get(at)?.issuer) path.add(at);
  return { certificates, leaf, path: [...path], ...relationsOf(certificates, [...path]) };
}

/** A certificate is related when it is on the path, or has the name and key of one that is: a cross-sign of it. */
function relationsOf(certificates: readonly Certificate[], path: readonly Certificate[]): Pick<ChainSubject, 'related' | 'selfSigned'> {
  const keyed = (certificate: Certificate): string =>
    `${canonicalName(certificate.subject)}\n${certificate.publicKey.der.toString('latin1')}`;
  const onPath = new Set(path.slice(1).map(keyed));
  const prints = new Set(path.map(fingerprint));
  return {
    related: new Set(certificates.filter((certificate) => prints.has(fingerprint(certificate)) || onPath.has(keyed(certificate)))),
    selfSigned: new Set(certificates.filter(isSelfSigned)),
  };
}
