import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { appendLedger, newLedger, readLedger } from '../../src/authority/ledger/ledger.js';
import { answerOcsp } from '../../src/authority/revocation/ocsp-responder.js';
import { readAccessDescriptions } from '../../src/pki/access.js';
import { describeKey, signatureDigest, signatureName } from '../../src/pki/algorithms.js';
import { inspectLine } from '../../src/pki/batch.js';
import { type Certificate, readCertificate } from '../../src/pki/certificate.js';
import { countRevoked, findRevoked, readCrl, revokedEntries } from '../../src/pki/crl.js';
import { provesPossession, readCsr } from '../../src/pki/csr.js';
import { DerReader, TAG } from '../../src/pki/der.js';
import { readDistributionPoints, readIssuingDistributionPoint } from '../../src/pki/distribution-points.js';
import { element } from '../../src/pki/encode.js';
import { type Extension, decodeExtension } from '../../src/pki/extensions.js';
import { certificateFields, crlFields, csrFields } from '../../src/pki/fields.js';
import { readPrivateKey } from '../../src/pki/key.js';
import { certificatesIn, crlsIn, itemsIn } from '../../src/pki/material.js';
import { readNameConstraints } from '../../src/pki/name-constraints.js';
import { canonicalName, formatName, labelOf } from '../../src/pki/name.js';
import { readOcspResponse } from '../../src/pki/ocsp.js';
import { readOcspRequest } from '../../src/pki/ocsp-request.js';
import { OID } from '../../src/pki/oids.js';
import { readPem, toPem } from '../../src/pki/pem.js';
import { readPkcs12 } from '../../src/pki/pkcs12.js';
import { readCertificatePolicies, readInhibitAnyPolicy, readPolicyConstraints, readPolicyMappings } from '../../src/pki/policies.js';
import { answerLine } from '../../src/validate/batch.js';
import { lintChain, lintCrl } from '../../src/validate/lint/lint.js';
import { ocspAnswer } from '../../src/validate/ocsp.js';
import { verify } from '../../src/validate/verify.js';
import { AT } from '../../test/support/chains.js';
import { encodeItem, parseItems, placesIn } from './elements.js';
import { type Mutation, mutateDer } from './mutate-der.js';
import { mutateJsonLines, mutatePem } from './mutate-text.js';
import { PASSPHRASE, mutatePkcs12, pkcs12Seeds } from './pkcs12.js';
import { SEEDS, crlOfMiddle, crlOfRoot, honest, leaf, middle, responder, root } from './seeds.js';
import type { Trial } from './trial.js';

/** Something that is read from outside, and what must hold of it whatever the bytes are. */
export interface Target {
  readonly seeds: () => Buffer[];
  readonly mutate: Mutation;
  /** Reads the input in every way there is. Answers in a few words what came of it; throws what must not be thrown. */
  readonly check: (input: Buffer, trial: Trial) => string;
}

function checkDer(input: Buffer, trial: Trial): string {
  const walked = trial.attempt(['DER_MALFORMED'], () => rebuilt(input));
  if ('refused' in walked) return walked.refused;
  trial.must(walked.value.equals(input), 'DER that was walked and written again is not the same');
  // some of the elements as each type that they could be: other ones in each input
  const faults = new Set<string>();
  const places = placesIn(parseItems(input) ?? []).filter(({ item }) => Buffer.isBuffer(item.content));
  const step = Math.ceil(places.length / 8);
  for (let at = input.length % step; at < places.length; at += step) {
    const { item } = places[at]!;
    const whole = encodeItem(item);
    for (const read of SCALARS) {
      const found = trial.attempt(['DER_MALFORMED'], () => read(new DerReader(whole)));
      if ('refused' in found) faults.add(found.refused);
    }
  }
  return `walked; ${faults.size}`;
}

/** The bytes written again from tags and contents, as deep as a tree of a real file is. */
function rebuilt(bytes: Buffer, depth = 0): Buffer {
  const reader = new DerReader(bytes);
  const parts: Buffer[] = [];
  while (!reader.atEnd) {
    const { tag, content } = reader.element();
    parts.push(element(tag, [(tag & 0x20) !== 0 && depth < 100 ? rebuilt(content, depth + 1) : content]));
  }
  return Buffer.concat(parts);
}

const SCALARS: readonly ((reader: DerReader) => unknown)[] = [
  ...[(r: DerReader) => r.boolean(), (r: DerReader) => r.integer(), (r: DerReader) => r.smallInteger(), (r: DerReader) => r.oid()],
  ...[(r: DerReader) => r.bitStringOctets(), (r: DerReader) => r.namedBits(), (r: DerReader) => r.time(), (r: DerReader) => r.null()],
  (r: DerReader) => r.enter(TAG.set).element(),
];

const READERS: Readonly<Record<string, (value: Buffer) => unknown>> = {
  [OID.nameConstraints]: readNameConstraints,
  [OID.certificatePolicies]: readCertificatePolicies,
  [OID.policyMappings]: readPolicyMappings,
  [OID.policyConstraints]: readPolicyConstraints,
  [OID.inhibitAnyPolicy]: readInhibitAnyPolicy,
  [OID.crlDistributionPoints]: readDistributionPoints,
  [OID.freshestCrl]: readDistributionPoints,
  [OID.issuingDistributionPoint]: readIssuingDistributionPoint,
  [OID.authorityInfoAccess]: readAccessDescriptions,
  [OID.subjectInfoAccess]: readAccessDescriptions,
};

function readExtensions(extensions: readonly Extension[], trial: Trial): string {
  return extensions
    .flatMap((extension) => {
      const read = READERS[extension.oid];
      const found = read === undefined ? undefined : trial.attempt(['DER_MALFORMED'], () => decodeExtension(extension, read));
      return found !== undefined && 'refused' in found ? [found.refused] : [];
    })
    .join('; ');
}

function checkCertificate(input: Buffer, trial: Trial): string {
  const found = trial.attempt(['CERTIFICATE_MALFORMED'], () => readCertificate(input));
  trial.attempt(['CERTIFICATE_MALFORMED', 'CRL_MALFORMED', 'CSR_MALFORMED', 'FILE_UNRECOGNIZED', 'PEM_MALFORMED'], () =>
    itemsIn(input, 'x'),
  );
  const line = JSON.stringify({ id: 'a', kind: 'certificate', data: input.toString('base64') });
  trial.run(() => inspectLine(line));
  if ('refused' in found) return found.refused;
  const certificate = found.value;
  trial.must(isDeepStrictEqual(readCertificate(Buffer.from(input)), certificate), 'the same certificate reads differently the second time');
  trial.run(() => JSON.stringify(certificateFields(certificate)));
  for (const name of [certificate.subject, certificate.issuer])
    for (const say of [formatName, labelOf, canonicalName]) trial.run(() => say(name));
  [describeKey(certificate.publicKey), signatureName(certificate.signatureAlgorithm), signatureDigest(certificate.signatureAlgorithm)].join(
    '',
  );
  sameAsOpenssl(certificate, trial);
  trial.run(() => lintChain([certificate, middle.certificate], { at: AT }));
  return [readExtensions(certificate.extensions, trial), ...verdicts(certificate, trial)].join('; ');
}

/** What both read, both must read the same. That one of them refuses what the other takes is no fault: ours is strict. */
function sameAsOpenssl({ der, serial, notBefore, notAfter }: Certificate, trial: Trial): void {
  let theirs: X509Certificate;
  try {
    theirs = new X509Certificate(der);
  } catch {
    return;
  }
  const positive = BigInt(`0x${serial}`);
  if (Number.parseInt(serial.slice(0, 2), 16) < 0x80)
    trial.must(BigInt(`0x${theirs.serialNumber}`) === positive, 'OpenSSL reads another serial number');
  for (const [ours, text] of [[notBefore, theirs.validFrom] as const, [notAfter, theirs.validTo] as const]) {
    const time = Date.parse(text);
    // Date takes a year below 100 for one of the 20th century
    trial.must(Number.isNaN(time) || ours < Date.UTC(1000, 0) || time === ours, `OpenSSL reads ${text}`);
  }
}

/** As a leaf, as an intermediate, and as what is trusted: only what was honestly signed may be good below a root that is ours. */
function verdicts(certificate: Certificate, trial: Trial): string[] {
  const base = { at: AT, crls: [] };
  const asked: Readonly<Record<string, Parameters<typeof verify>[0]>> = {
    leaf: { ...base, leaf: certificate, intermediates: [middle.certificate], roots: [root.certificate] },
    intermediate: {
      ...{ ...base, leaf: leaf.certificate, intermediates: [certificate], roots: [root.certificate] },
      ...{ purpose: 'server', name: { host: 'api.test' } },
    },
  };
  const trusted = trial.run(() =>
    verify({
      ...base,
      leaf: leaf.certificate,
      intermediates: [middle.certificate, certificate],
      roots: [certificate],
      purpose: 'client',
    }),
  );
  return Object.entries(asked).map(([role, request]) => {
    const verdict = trial.run(() => verify(request));
    const forged = verdict.valid && verdict.path.some(({ der }) => !honest.has(der.toString('latin1')));
    trial.must(!forged, `what nobody signed is valid as ${role}`);
    return `${role} ${verdict.valid ? 'valid' : verdict.errors.map(({ code }) => code).join(' ')}, trusted ${trusted.valid}`;
  });
}

function checkCrl(input: Buffer, trial: Trial): string {
  const found = trial.attempt(['CRL_MALFORMED'], () => readCrl(input));
  if ('refused' in found) return found.refused;
  const crl = found.value;
  const entries = trial.attempt(['CRL_MALFORMED'], () => [...revokedEntries(crl)]);
  const count = trial.attempt(['CRL_MALFORMED'], () => countRevoked(crl));
  trial.attempt(['CRL_MALFORMED'], () => crlFields(crl));
  trial.run(() => lintCrl(crl, { at: AT }));
  if ('value' in entries) {
    trial.must('value' in count && count.value === entries.value.length, 'the entries are counted differently than they are walked');
    for (const entry of [...entries.value.slice(0, 3), ...entries.value.slice(-1)]) {
      const first = entries.value.find(({ serial }) => serial === entry.serial);
      trial.must(
        isDeepStrictEqual(
          trial.run(() => findRevoked(crl, entry.serial)),
          first,
        ),
        'an entry is found that is not the first of its serial number',
      );
    }
  } else trial.attempt(['CRL_MALFORMED'], () => findRevoked(crl, '00ff'));
  const request = { leaf: leaf.certificate, intermediates: [middle.certificate], roots: [root.certificate], at: AT };
  const verdicts = [[crl], [crl, crlOfMiddle], [crlOfRoot, crl]].map((crls) => {
    const verdict = trial.run(() => verify({ ...request, crls }));
    trial.must(!verdict.valid || honest.has(input.toString('latin1')), 'a CRL that nobody signed counts');
    return verdict.valid ? 'valid' : verdict.errors.map(({ code }) => code).join(' ');
  });
  return ['refused' in entries ? entries.refused : 'entries', readExtensions(crl.extensions, trial), ...verdicts].join('; ');
}

function checkCsr(input: Buffer, trial: Trial): string {
  const found = trial.attempt(['CSR_MALFORMED'], () => readCsr(input));
  const line = JSON.stringify({ id: 'a', kind: 'csr', data: input.toString('base64') });
  trial.run(() => inspectLine(line));
  if ('refused' in found) return found.refused;
  trial.must(isDeepStrictEqual(readCsr(Buffer.from(input)), found.value), 'the same request reads differently the second time');
  trial.run(() => JSON.stringify(csrFields(found.value)));
  return `${formatName(found.value.subject).length > 0}, ${trial.run(() => provesPossession(found.value))}; ${readExtensions(found.value.extensions, trial)}`;
}

function checkOcsp(input: Buffer, trial: Trial): string {
  const found = trial.attempt(['OCSP_MALFORMED'], () => readOcspResponse(input));
  if ('refused' in found) return found.refused;
  trial.must(isDeepStrictEqual(readOcspResponse(Buffer.from(input)), found.value), 'the same response reads differently the second time');
  const request = { leaf: leaf.certificate, intermediates: [middle.certificate], roots: [root.certificate], at: AT };
  const verdict = trial.run(() => verify({ ...request, crls: [crlOfRoot], ocsp: [found.value] }));
  trial.must(!verdict.valid || honest.has(input.toString('latin1')), 'a response that nobody signed counts');
  return verdict.valid ? 'valid' : verdict.errors.map(({ code, message }) => `${code} ${message}`).join('; ');
}

function checkOcspRequest(input: Buffer, trial: Trial): string {
  const found = trial.attempt(['OCSP_REQUEST_MALFORMED'], () => readOcspRequest(input));
  if ('refused' in found) return found.refused;
  const asked = found.value;
  trial.must(isDeepStrictEqual(readOcspRequest(Buffer.from(input)), asked), 'the same request reads differently the second time');
  const statusOf = (serial: string) => ({ status: serial === leaf.certificate.serial ? ('good' as const) : ('unknown' as const) });
  const { der, outcome } = trial.run(() => answerOcsp(asked, [{ issuer: middle.certificate, responder, statusOf }], AT));
  if (outcome !== 'successful') return `${outcome}, ${asked.certIds.length > 1}, ${asked.nonce?.length}`;
  const response = readOcspResponse(der);
  const ids = response.responses.map(({ certId }) => certId.der);
  trial.must(
    isDeepStrictEqual(
      ids,
      asked.certIds.map((certId) => certId.der),
    ),
    'the answer is to another question',
  );
  trial.must(response.extensions.length > 0 === (asked.nonce !== undefined), 'the nonce is not repeated');
  const answer = trial.run(() => ocspAnswer(response, leaf.certificate, middle.certificate, AT));
  return `answered ${answer?.status}, ${ids.length > 1}, ${asked.nonce?.length}`;
}

const FILE_CODES = ['CERTIFICATE_MALFORMED', 'CRL_MALFORMED', 'CSR_MALFORMED', 'FILE_UNRECOGNIZED', 'PEM_MALFORMED'] as const;
const KEY_CODES = ['KEY_UNREADABLE', 'KEY_ENCRYPTED', 'PASSPHRASE_WRONG', 'PEM_MALFORMED'] as const;

function checkPem(input: Buffer, trial: Trial): string {
  const text = input.toString('latin1');
  const roots = [toPem('CERTIFICATE', root.certificate.der)];
  const blocks = trial.attempt(['PEM_MALFORMED'], () => readPem(text));
  const items = trial.attempt(FILE_CODES, () => itemsIn(input, 'x').map(({ kind }) => kind));
  for (const read of [certificatesIn, crlsIn]) trial.attempt(FILE_CODES, () => read(input, 'x'));
  const key = trial.attempt(KEY_CODES, () => readPrivateKey(input, 'x', PASSPHRASE));
  trial.attempt(KEY_CODES, () => readPrivateKey(input, 'x'));
  const line = JSON.stringify({ id: 'a', leaf: text, intermediates: [text], roots, crls: [] });
  const asLeaf = trial.run(() => answerLine(line, AT));
  const asLine = [trial.run(() => answerLine(input.toString('utf8'), AT)).valid, trial.run(() => inspectLine(input.toString('utf8'))).ok];
  if ('value' in blocks) {
    const again = readPem(blocks.value.map(({ label, der }) => toPem(label, der)).join(''));
    const same = again.length === blocks.value.length && again.every(({ der }, i) => der.equals(blocks.value[i]!.der));
    trial.must(same, 'blocks that are written again are not the same');
    const first = blocks.value.find(({ label }) => label === 'CERTIFICATE');
    trial.must(!asLeaf.valid || (first !== undefined && honest.has(first.der.toString('latin1'))), 'a leaf that nobody signed is valid');
  } else trial.must(!asLeaf.valid, 'a leaf that cannot be read is valid');
  const codes = asLeaf.errors.map(({ code }) => code).join(' ');
  return [refusedOr(items), refusedOr(key), codes, ...asLine].join('; ');
}

const refusedOr = (found: { readonly value: unknown } | { readonly refused: string }): string =>
  'refused' in found ? found.refused : Array.isArray(found.value) ? [...new Set(found.value)].join(' ') : 'read';

function checkPkcs12(input: Buffer, trial: Trial): string {
  const read = (passphrase: string) =>
    trial.attempt(['PKCS12_MALFORMED', 'PKCS12_UNSUPPORTED', 'PASSPHRASE_WRONG'], () => readPkcs12(input, passphrase, 'x.p12'));
  const found = read(PASSPHRASE);
  if ('refused' in found) {
    const empty = read('');
    return 'refused' in empty ? `${found.refused}; ${empty.refused}` : 'opens without a passphrase';
  }
  const { certificates, keys, friendlyNames = [] } = found.value;
  return `${certificates.length} ${keys.length} ${friendlyNames.length}`;
}

const directory = mkdtempSync(join(tmpdir(), 'mtls-fuzz-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

function checkLedger(input: Buffer, trial: Trial): string {
  const [path, copy] = [join(directory, 'ledger'), join(directory, 'copy')];
  writeFileSync(path, input);
  const found = trial.attempt(['LEDGER_CORRUPT'], () => readLedger(path));
  if ('refused' in found) return found.refused.replaceAll(path, 'x');
  const entries = found.value;
  const other = { event: 'crl', at: AT, by: 'fuzz', issuer: 'ab', number: 7 } as const;
  writeFileSync(copy, newLedger([other]));
  trial.run(() => appendLedger(copy, entries));
  trial.must(isDeepStrictEqual(readLedger(copy), [other, ...entries]), 'entries that are written again read differently');
  // a ledger without entries is not ours, and not written to
  if (entries.length === 0) return 'no entry';
  trial.run(() => appendLedger(path, [other]));
  trial.must(isDeepStrictEqual(readLedger(path), [...entries, other]), 'an entry behind a torn line reads differently');
  return [...new Set(entries.map(({ event }) => event))].join(' ');
}

const derOf =
  (...kinds: readonly (() => Buffer[])[]) =>
  (): Buffer[] =>
    kinds.flatMap((kind) => kind());

export const TARGETS = {
  der: { seeds: derOf(SEEDS.certificates, SEEDS.crls, SEEDS.requests), mutate: mutateDer, check: checkDer },
  certificate: { seeds: SEEDS.certificates, mutate: mutateDer, check: checkCertificate },
  crl: { seeds: SEEDS.crls, mutate: mutateDer, check: checkCrl },
  csr: { seeds: SEEDS.requests, mutate: mutateDer, check: checkCsr },
  ocsp: { seeds: SEEDS.responses, mutate: mutateDer, check: checkOcsp },
  'ocsp-request': { seeds: SEEDS.ocspRequests, mutate: mutateDer, check: checkOcspRequest },
  pem: { seeds: SEEDS.pems, mutate: mutatePem, check: checkPem },
  pkcs12: { seeds: pkcs12Seeds, mutate: mutatePkcs12, check: checkPkcs12 },
  ledger: { seeds: SEEDS.ledgers, mutate: mutateJsonLines, check: checkLedger },
} as const satisfies Readonly<Record<string, Target>>;
