import { shellWord } from '../../errors.js';
import type { KeyType } from '../../pki/key.js';
import type { DiagnosisCode } from '../diagnoses.js';
import type { Facts, Rule } from '../facts.js';
import { judgeRefusal } from '../judge.js';
import { authoritiesFile, certificateFile, endpointOf, keyFile, probeCommand, serviceName, showCertificate } from '../options.js';

type Fixes = Rule['fixes'];

const issue = ({ options }: Facts, ...more: readonly string[]): string => {
  const name = serviceName(options);
  return name === undefined ? `have ${certificateFile(options)} issued anew` : ['mtls issue', name, ...more].join(' ');
};

/** A key type of ours whose signatures the server takes. */
const TAKEN: readonly (readonly [scheme: number, type: KeyType])[] = [
  [0x0403, 'ecdsa-p256'],
  [0x0503, 'ecdsa-p384'],
  [0x0807, 'ed25519'],
  [0x0804, 'rsa-2048'],
  [0x0401, 'rsa-2048'],
];

function issueAsTaken(facts: Facts): readonly string[] {
  const schemes = facts.attempt?.transcript.certificateRequest?.signatureAlgorithms ?? [];
  const type = TAKEN.find(([scheme]) => schemes.includes(scheme))?.[1];
  return type === undefined ? ['use a key of a type whose signatures the server takes'] : [issue(facts, '--key-type', type), again(facts)];
}

const again = ({ options }: Facts): string => probeCommand(options);
const reissue: Fixes = (facts) => [issue(facts), again(facts)];
const inspectOwn: Fixes = ({ options }) => [
  `mtls inspect ${shellWord(certificateFile(options))}`,
  `read the log of ${endpointOf(options)}`,
];
const compareAuthorities: Fixes = ({ options }) => [
  `mtls verify ${shellWord(certificateFile(options))} --ca ${shellWord(authoritiesFile(options))} --purpose client`,
  `compare with the CA file that ${endpointOf(options)} verifies clients with`,
];
const onServer =
  (what: string): Fixes =>
  ({ options }) => [`on ${endpointOf(options)}: ${what}`];

/** What mends each reason for which a server can refuse a client. */
const REFUSALS: readonly (readonly [DiagnosisCode, Fixes])[] = [
  ['CLIENT_CERT_REQUIRED', ({ options }) => (options.client === undefined ? showCertificate(options) : [probeCommand(options)])],
  ['CLIENT_SIGALG_UNSUPPORTED', issueAsTaken],
  ['CLIENT_CERT_SELF_SIGNED', reissue],
  ['CLIENT_CA_KEY_MISMATCH', compareAuthorities],
  [
    'CLIENT_CHAIN_INCOMPLETE',
    ({ options }) => [`put the intermediate behind the leaf in ${certificateFile(options)}`, probeCommand(options)],
  ],
  ['CLIENT_ISSUER_NOT_CA', reissue],
  ['CLIENT_PATHLEN_EXCEEDED', compareAuthorities],
  ['CLIENT_CERT_UNTRUSTED', compareAuthorities],
  ['CLIENT_CERT_EXPIRED', reissue],
  ['CLIENT_CERT_NOT_YET_VALID', (facts) => ['date -u', `compare it with the clock of ${endpointOf(facts.options)}`, again(facts)]],
  ['CLIENT_CHAIN_EXPIRED', compareAuthorities],
  ['CLIENT_CERT_REVOKED', reissue],
  ['CLIENT_CERT_WRONG_EKU', reissue],
  ['CLIENT_CERT_WRONG_KEY_USAGE', reissue],
  ['CLIENT_CERT_WEAK_KEY', reissue],
  ['CLIENT_CERT_WEAK_SIGNATURE', reissue],
  ['SERVER_TRUST_INCOMPLETE', onServer('put the root beside the intermediates in the file that clients are verified with')],
  ['SERVER_CRL_MISSING', onServer('mtls crl, and install it where clients are verified')],
  ['SERVER_CRL_EXPIRED', onServer('mtls crl, install the new CRL, and check the clock: date -u')],
  [
    'CLIENT_NOT_AUTHORIZED',
    (facts) =>
      onServer(
        `look into the log and the policy${serviceName(facts.options) === undefined ? '' : ` (of mtls proxy: --allow ${serviceName(facts.options)})`}, and whether its backend is up`,
      )(facts),
  ],
  ['CLIENT_CERT_REJECTED', inspectOwn],
];

const refusalRules: readonly Rule[] = REFUSALS.map(([code, fixes]) => ({
  code,
  when: (facts) => {
    const judgement = judgeRefusal(facts);
    return judgement?.code === code ? judgement : undefined;
  },
  fixes,
}));

/** Our own key and certificate do not belong together, or cannot be used: proven without any server. */
const ownFilesRule = (code: DiagnosisCode, fixes: Fixes): Rule => ({
  code,
  when: ({ client }) => {
    const fault = client?.faults.find((candidate) => candidate.code === code);
    return fault && { confidence: 'certain', evidence: fault.evidence };
  },
  fixes,
});

/** Why the server refuses the client; its own files first. */
export const CLIENT_CERTIFICATE_RULES: readonly Rule[] = [
  ownFilesRule('CLIENT_KEY_MISMATCH', ({ options }) => [
    `mtls inspect ${shellWord(certificateFile(options))} ${shellWord(keyFile(options))}`,
    `give the key of ${certificateFile(options)} with --key`,
  ]),
  ownFilesRule('CLIENT_KEY_UNREADABLE', ({ options }) => [
    `mtls inspect ${shellWord(certificateFile(options))} ${shellWord(keyFile(options))}`,
  ]),
  ...refusalRules,
];
