import type { DiagnosisCode } from '../diagnoses.js';
import { readable } from '../examine.js';
import type { Facts, Rule } from '../facts.js';
import { authoritiesFile, endpointOf, nameAskedFor, probeCommand } from '../options.js';

type Fixes = Rule['fixes'];

const askedName = (facts: Facts): string => Object.values(nameAskedFor(facts.options))[0] as string;
const present = (facts: Facts): string => facts.server?.leaf?.subjectAltName.dns[0] ?? 'NAME';
const inspect = ({ options }: Facts): string => `mtls inspect ${endpointOf(options)}`;
const issueOnServer = (): string => 'mtls issue NAME   (on the server, then reload it)';
const otherAuthorities: Fixes = (facts) => [
  `mtls inspect ${authoritiesFile(facts.options)}`,
  probeCommand(facts.options, '--ca', 'CURRENT-CA'),
];
const reissue: Fixes = (facts) => [issueOnServer(), inspect(facts)];

/** What mends each fault that the server's certificates can have, in the order in which they are told. */
const FIXES: readonly (readonly [DiagnosisCode, Fixes])[] = [
  ['SERVER_CERT_REVOKED', reissue],
  ['SERVER_CERT_EXPIRED', reissue],
  ['SERVER_CERT_NOT_YET_VALID', (facts) => ['date -u   (on both machines)', inspect(facts)]],
  ['SERVER_CA_KEY_MISMATCH', otherAuthorities],
  ['SERVER_CERT_SELF_SIGNED', reissue],
  ['SERVER_CHAIN_INCOMPLETE', (facts) => ['configure the server with leaf and intermediates in one file, leaf first', inspect(facts)]],
  ['SERVER_ISSUER_NOT_CA', reissue],
  ['SERVER_PATHLEN_EXCEEDED', reissue],
  ['SERVER_CERT_UNTRUSTED', otherAuthorities],
  ['SERVER_CHAIN_EXPIRED', (facts) => ['replace the CA certificate that the server sends, or issue from a current one', inspect(facts)]],
  [
    'SERVER_IP_NOT_IN_SAN',
    (facts) => [
      probeCommand(facts.options, '--servername', present(facts)),
      `issue the server's certificate with the address ${askedName(facts)}`,
    ],
  ],
  ['SERVER_NAME_CN_ONLY', (facts) => [`issue the server's certificate with the DNS name ${askedName(facts)}`, inspect(facts)]],
  [
    'SERVER_NAME_MISMATCH',
    (facts) => [
      probeCommand(facts.options, '--servername', present(facts)),
      `issue the server's certificate with the DNS name ${askedName(facts)}`,
    ],
  ],
  ['SERVER_CERT_WRONG_EKU', reissue],
  ['SERVER_CERT_WEAK_KEY', reissue],
  ['SERVER_CERT_WEAK_SIGNATURE', reissue],
  ['CRL_MISSING', (facts) => [probeCommand(facts.options, '--crl', 'CRL'), 'mtls crl']],
  ['CRL_EXPIRED', () => ['mtls crl   (where the CA is, then fetch it anew)']],
];

const faultRules: readonly Rule[] = FIXES.map(([code, fixes]) => ({
  code,
  when: ({ server }) => {
    const found = server?.faults.filter((fault) => fault.code === code) ?? [];
    const [first] = found;
    return first && { confidence: first.confidence, evidence: found.flatMap(({ evidence }) => evidence), alternatives: first.alternatives };
  },
  fixes,
}));

/** The server's dates look wrong, and its own clock says that ours is. */
const clockSkew: Rule = {
  code: 'CLIENT_CLOCK_SKEW',
  when: ({ attempt, again, server, now }) => {
    const answer = [attempt?.answer, again.withRequest?.answer].find((candidate) => candidate?.kind === 'http');
    const theirs = answer?.kind === 'http' && answer.date !== undefined ? Date.parse(answer.date) : Number.NaN;
    const chain = readable(server?.chain ?? []);
    const isGoodAt = (at: number): boolean => chain.every(({ notBefore, notAfter }) => at >= notBefore && at <= notAfter);
    if (Number.isNaN(theirs) || isGoodAt(now.getTime()) || !isGoodAt(theirs)) return undefined;
    const evidence = [
      `this machine's clock says ${now.toISOString()}, the server's ${new Date(theirs).toISOString()}`,
      "by the server's clock its certificates are in date",
    ];
    return { confidence: 'likely', evidence, alternatives: ['SERVER_CERT_EXPIRED', 'SERVER_CERT_NOT_YET_VALID', 'SERVER_CLOCK_SKEW'] };
  },
  fixes: () => ['date -u', 'timedatectl status'],
};

/** What is wrong with the certificates that the server sent, found by our own rules. */
export const SERVER_CERTIFICATE_RULES: readonly Rule[] = [clockSkew, ...faultRules];
