import { type Admission, admissionOf } from '../admission.js';
import type { Facts, Finding, Rule } from '../facts.js';
import { endpointOf, probeCommand, serviceName, showCertificate } from '../options.js';

/** Is the handshake through, and was it not refused afterwards? */
const welcomed = ({ attempt, refusal }: Facts): boolean => attempt?.secured === true && refusal === undefined;

const asked = ({ attempt }: Facts): boolean => attempt?.transcript.certificateRequest !== undefined;

/** Did we send a certificate? */
const sent = ({ attempt }: Facts): boolean => (attempt?.transcript.clientCertificates?.length ?? 0) > 0;

/** What the server did with one who has no certificate: in a try of its own, or, when we gave none, at once. */
function toNobody(facts: Facts): Admission | undefined {
  const { attempt, again } = facts;
  if (!welcomed(facts) || !asked(facts)) return undefined;
  if (!sent(facts)) return admissionOf(again.withRequest ?? attempt, undefined);
  return admissionOf(again.withoutCertificate, again.withRequest ?? attempt);
}

/** The handshake went through: is this mutual TLS, and is all well? */
export const OUTCOME_RULES: readonly Rule[] = [
  {
    code: 'CLIENT_AUTH_POST_HANDSHAKE',
    when: ({ attempt }) => {
      if (attempt?.transcript.askedLater === true)
        return { confidence: 'certain', evidence: ['the server asked for a certificate after the handshake was over'] };
      if (attempt?.secured !== true || attempt.transcript.certificateRequest !== undefined || attempt.answer?.kind !== 'http')
        return undefined;
      const { status } = attempt.answer;
      const evidence = ['the server asked for no certificate in the handshake', `it answered HTTP ${status}`];
      return status === 403 || status === 401 ? { confidence: 'possible', evidence, alternatives: ['MTLS_NOT_REQUESTED'] } : undefined;
    },
    fixes: ({ options }) => [`on ${endpointOf(options)}: move client verification from the location to the listener`],
  },
  {
    code: 'MTLS_NOT_REQUESTED',
    when: (facts) => {
      if (!welcomed(facts) || asked(facts)) return undefined;
      const evidence = ["the server's handshake holds no CertificateRequest"];
      if (facts.attempt?.answer?.kind === 'http')
        return { confidence: 'certain', evidence: [...evidence, `it answered HTTP ${facts.attempt.answer.status}`] };
      return { confidence: 'certain', evidence, alternatives: ['CLIENT_AUTH_POST_HANDSHAKE'] };
    },
    fixes: ({ options }) => [
      `on ${endpointOf(options)}: turn on client verification (nginx: ssl_verify_client on; HAProxy: verify required)`,
      'or let nobody reach it but through mtls proxy',
    ],
  },
  {
    code: 'CLIENT_CERT_REQUIRED',
    when: (facts) => {
      const admission = sent(facts) ? undefined : toNobody(facts);
      if (admission?.refused !== true) return undefined;
      const evidence = ['the server asked for a certificate and the client sent an empty list', admission.seen];
      return { confidence: 'likely', evidence, alternatives: ['CLIENT_NOT_AUTHORIZED', 'MTLS_OPTIONAL'] };
    },
    fixes: ({ options }) => showCertificate(options),
  },
  {
    code: 'MTLS_OPTIONAL',
    when: (facts) => {
      const admission = toNobody(facts);
      if (admission === undefined || admission.refused) return undefined;
      const evidence = ['the server asks for a certificate', `without one: ${admission.seen}`];
      return admission.proven ? { confidence: 'certain', evidence } : { confidence: 'likely', evidence, alternatives: ['OK'] };
    },
    fixes: ({ options }) => [
      `on ${endpointOf(options)}: set client verification to required (nginx: ssl_verify_client on; HAProxy: verify required)`,
      probeCommand(options, '--http', '/'),
    ],
  },
  {
    code: 'MTLS_ANY_CERT_ACCEPTED',
    when: (facts) => {
      if (!welcomed(facts) || !asked(facts)) return undefined;
      const admission = admissionOf(facts.again.withStranger, facts.again.withRequest ?? facts.attempt);
      if (admission === undefined || admission.refused) return undefined;
      const evidence = ['the server refuses who has no certificate', `with a self-signed one made a moment ago: ${admission.seen}`];
      return admission.proven ? { confidence: 'certain', evidence } : { confidence: 'likely', evidence, alternatives: ['OK'] };
    },
    fixes: ({ options }) => [`on ${endpointOf(options)}: verify clients against your CA, not only that they have a certificate`],
  },
  {
    code: 'CLIENT_NOT_AUTHORIZED',
    when: (facts) => {
      const { attempt, options, client } = facts;
      const answer = attempt?.answer;
      if (options.httpPath === undefined || !sent(facts) || answer?.kind !== 'http' || answer.status !== 403) return undefined;
      const evidence = [
        'the handshake went through with the client certificate',
        `the server answered HTTP 403 to GET ${options.httpPath}`,
      ];
      // a proxy may let the handshake through and refuse the certificate by the same answer
      const isClean = client?.faults.length === 0 && client.anchored && (options.crls ?? []).length > 0;
      return isClean
        ? { confidence: 'certain', evidence: [...evidence, 'the certificate is good by the CA and the CRL at hand'] }
        : { confidence: 'likely', evidence, alternatives: ['CLIENT_CERT_REVOKED', 'CLIENT_CERT_REJECTED'] };
    },
    fixes: ({ options }) => [
      `on ${endpointOf(options)}: allow ${serviceName(options) ?? 'this client'} in the policy${serviceName(options) === undefined ? '' : ` (of mtls proxy: --allow ${serviceName(options)})`}`,
    ],
  },
  { code: 'OK', when: allWell, fixes: () => [] },
];

/** What is left when nothing is wrong; as sure as what was tried. */
function allWell(facts: Facts): Finding | undefined {
  const { attempt, server, client, options, again } = facts;
  if (!welcomed(facts) || !sent(facts)) return undefined;
  const nobody = toNobody(facts);
  const stranger = admissionOf(again.withStranger, again.withRequest ?? attempt);
  const remarks = [
    ...(server?.trust === 'trusted' ? [] : (server?.remarks ?? [])),
    ...(client?.faults ?? []).map(({ code, evidence }) => `the server does not mind ${code}: ${evidence[0]}`),
    ...(attempt?.answer === undefined || attempt.answer.kind === 'http'
      ? []
      : [`the request was not answered in HTTP (${attempt.answer.kind})`]),
  ];
  const evidence = [
    'the server asked for a client certificate and accepted ours',
    ...(nobody?.refused === true ? [`without one: ${nobody.seen}`] : []),
    ...(stranger?.refused === true ? [`with a self-signed one: ${stranger.seen}`] : []),
    ...remarks,
  ];
  const proven = nobody?.refused === true && server?.trust === 'trusted';
  const stage = options.httpPath === undefined ? 'finished' : 'application';
  const summary = options.httpPath === undefined ? 'the handshake succeeded, the client certificate was asked for and accepted' : undefined;
  const alternatives = nobody === undefined ? (['MTLS_OPTIONAL', 'MTLS_ANY_CERT_ACCEPTED'] as const) : [];
  return { confidence: proven ? 'certain' : 'likely', evidence, alternatives, stage, ...(summary === undefined ? {} : { summary }) };
}
