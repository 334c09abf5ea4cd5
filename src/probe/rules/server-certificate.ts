import type { DiagnosisCode } from '../diagnoses.js';
import { readable } from '../examine.js';
import type { Facts, Rule } from '../facts.js';
import { shellWord } from '../../errors.js';
import { authoritiesFile, endpointOf, nameAskedFor, probeCommand, serviceOf } from '../options.js';

type Fixes = Rule['fixes'];

const askedName = (facts: Facts): string => Object.values(nameAskedFor(facts.options))[0] as string;
/** The same with a name that the certificate has. */
function asItIsCalled(facts: Facts): readonly string[] {
  const name = facts.server?.leaf?.subjectAltName.dns.find((dns) => /^[\w.-]+$/.test(dns));
  return name === undefined ? [] : [probeCommand(facts.options, '--servername', name)];
}
const inspect = ({ options }: Facts): string => `mtls inspect ${shellWord(endpointOf(options))}`;
function issueToServer({ server, options }: Facts): readonly string[] {
  const name = server?.leaf === undefined ? undefined : serviceOf(server.leaf);
  const give = `give ${endpointOf(options)} a new certificate and its key, and let it read them`;
  return name === undefined ? [give] : [`mtls issue ${name}`, give];
}
const otherAuthorities: Fixes = (facts) => [
  `mtls inspect ${shellWord(authoritiesFile(facts.options))} ${shellWord(endpointOf(facts.options))}`,
  'give the CA that signed its certificate with --ca',
];
const reissue: Fixes = (facts) => [...issueToServer(facts), inspect(facts)];

/** What mends each fault that the server's certificates can have, in the order in which they are told. */
const FIXES: readonly (readonly [DiagnosisCode, Fixes])[] = [
  ['SERVER_CERT_REVOKED', reissue],
  ['SERVER_CERT_EXPIRED', reissue],
  ['SERVER_CERT_NOT_YET_VALID', (facts) => ['date -u', `compare it with the clock of ${endpointOf(facts.options)}`, inspect(facts)]],
  ['SERVER_CA_KEY_MISMATCH', otherAuthorities],
  ['SERVER_CERT_SELF_SIGNED', reissue],
  ['SERVER_CHAIN_INCOMPLETE', (facts) => ['configure the server with leaf and intermediates in one file, leaf first', inspect(facts)]],
  ['SERVER_ISSUER_NOT_CA', reissue],
  ['SERVER_PATHLEN_EXCEEDED', reissue],
  ['SERVER_CERT_UNTRUSTED', otherAuthorities],
  ['SERVER_CHAIN_EXPIRED', (facts) => ['replace the CA certificate that the server sends, or issue from a current one', inspect(facts)]],
  ['SERVER_IP_NOT_IN_SAN', (facts) => [...asItIsCalled(facts), `issue the server's certificate with the address ${askedName(facts)}`]],
  ['SERVER_NAME_CN_ONLY', (facts) => [`issue the server's certificate with the DNS name ${askedName(facts)}`, inspect(facts)]],
  ['SERVER_NAME_MISMATCH', (facts) => [...asItIsCalled(facts), `issue the server's certificate with the DNS name ${askedName(facts)}`]],
  ['SERVER_CERT_WRONG_EKU', reissue],
  ['SERVER_CERT_WEAK_KEY', reissue],
  ['SERVER_CERT_WEAK_SIGNATURE', reissue],
  ['CRL_MISSING', ({ options }) => [...(options.labels?.service === undefined ? [] : ['mtls crl']), 'give the CRL of its CA with --crl']],
  [
    'CRL_EXPIRED',
    ({ options }) => [...(options.labels?.service === undefined ? [] : ['mtls crl']), 'have its CA sign a new CRL, and fetch it anew'],
  ],
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
