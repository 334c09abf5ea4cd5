import type { DiagnosisCode } from './diagnoses.js';
import { impliesCode } from './diagnoses.js';
import type { Fault } from './examine.js';
import type { Facts, Finding } from './facts.js';
import { type Refusal, refusalOf } from './refusal.js';

/** Why the server refused: a code, and how sure. */
export interface Judgement extends Finding {
  readonly code: DiagnosisCode;
}

interface Saying {
  /** The faults that this alert is meant for: one of these, found in our own files, is proven. */
  readonly names: readonly DiagnosisCode[];
  /** When our own files have none of these. */
  readonly otherwise: (facts: Facts) => Judged;
}

type Judged = Pick<Judgement, 'code' | 'confidence'> & { readonly alternatives: readonly DiagnosisCode[]; readonly because?: string };

/** The server knows something that our files do not show (the sets that stay ambiguous for an honest client). */
const UNSAID: readonly DiagnosisCode[] = [
  'CLIENT_CERT_REVOKED',
  'CLIENT_NOT_AUTHORIZED',
  'SERVER_CRL_EXPIRED',
  'SERVER_CRL_MISSING',
  'CLIENT_CA_KEY_MISMATCH',
  'SERVER_CLOCK_SKEW',
];
const rejected = (alternatives: readonly DiagnosisCode[] = UNSAID): Judged => ({
  code: 'CLIENT_CERT_REJECTED',
  confidence: 'possible',
  alternatives,
});

/** An alert that any stack uses for anything about the certificate. */
const ANYTHING: Saying = {
  names: [],
  otherwise: ({ client }) => rejected(client?.issuerAccepted === undefined ? ['CLIENT_CERT_UNTRUSTED', ...UNSAID] : UNSAID),
};

/** What an alert after the client's certificate means (RFC 8446 §6.2, and what servers make of it). Others mean anything. */
const SAYINGS: Readonly<Record<number, Saying>> = {
  43: {
    names: ['CLIENT_CERT_WRONG_EKU', 'CLIENT_CERT_WRONG_KEY_USAGE'],
    otherwise: () => rejected(['CLIENT_CERT_WRONG_EKU', 'CLIENT_CERT_WRONG_KEY_USAGE', 'CLIENT_SIGALG_UNSUPPORTED']),
  },
  44: {
    names: ['CLIENT_CERT_REVOKED'],
    otherwise: () => ({
      code: 'CLIENT_CERT_REVOKED',
      confidence: 'certain',
      alternatives: [],
      because: 'that alert has one meaning: revoked in the CRL of the server',
    }),
  },
  45: {
    // Go says so of one whose time has not come as well
    names: ['CLIENT_CERT_EXPIRED', 'CLIENT_CHAIN_EXPIRED', 'CLIENT_CERT_NOT_YET_VALID'],
    otherwise: () => ({
      code: 'SERVER_CRL_EXPIRED',
      confidence: 'possible',
      alternatives: ['SERVER_CLOCK_SKEW', 'CLIENT_CLOCK_SKEW'],
      because: "the client's certificates are all in date by this machine's clock",
    }),
  },
  48: {
    names: [
      'CLIENT_CERT_SELF_SIGNED',
      'CLIENT_CA_KEY_MISMATCH',
      'CLIENT_CHAIN_INCOMPLETE',
      'CLIENT_ISSUER_NOT_CA',
      'CLIENT_PATHLEN_EXCEEDED',
      'CLIENT_CERT_UNTRUSTED',
      'CLIENT_CERT_WEAK_SIGNATURE',
    ],
    otherwise: unknownCa,
  },
  51: { names: ['CLIENT_KEY_MISMATCH'], otherwise: () => rejected(['CLIENT_KEY_MISMATCH']) },
};

/** The server does not know the issuer, and nothing of ours shows why. */
function unknownCa({ client, server, options }: Facts): Judged {
  if (client?.issuerAccepted !== true) {
    const alternatives: DiagnosisCode[] = [
      'CLIENT_CA_KEY_MISMATCH',
      'CLIENT_CHAIN_INCOMPLETE',
      'SERVER_TRUST_INCOMPLETE',
      'SERVER_CRL_MISSING',
    ];
    return { code: 'CLIENT_CERT_UNTRUSTED', confidence: 'likely', alternatives, because: 'the server does not tell which CAs it accepts' };
  }
  const because = "the server names the client's issuer as one that it accepts, and does not know it";
  if ((options.client?.chain.length ?? 0) > 1) {
    const alternatives: DiagnosisCode[] = ['CLIENT_CA_KEY_MISMATCH', 'CLIENT_CHAIN_TOO_LONG', 'SERVER_CRL_MISSING'];
    return { code: 'SERVER_TRUST_INCOMPLETE', confidence: 'possible', alternatives, because };
  }
  if (client.anchored && server?.trust === 'trusted') {
    const sameCa = `${because}; by --ca both sides' certificates are of the same CA and key`;
    return {
      code: 'SERVER_CRL_MISSING',
      confidence: 'possible',
      alternatives: ['CLIENT_CA_KEY_MISMATCH', 'SERVER_TRUST_INCOMPLETE'],
      because: sameCa,
    };
  }
  return {
    code: 'CLIENT_CA_KEY_MISMATCH',
    confidence: 'possible',
    alternatives: ['SERVER_CRL_MISSING', 'SERVER_TRUST_INCOMPLETE'],
    because,
  };
}

/** Why the server refused, as exactly as the refusal and our own files tell; undefined when it did not refuse. */
export function judgeRefusal(facts: Facts): Judgement | undefined {
  const { refusal, attempt } = facts;
  if (refusal === undefined || attempt === undefined) return undefined;
  const sentNone = attempt.transcript.clientCertificates?.length === 0;
  return sentNone ? judgeAbsence(facts, refusal) : judgeCertificate(facts, refusal);
}

/** No certificate was sent: the refusal is about that, most plainly in 116 (RFC 8446 §6.2) or 40 (RFC 5246 §7.4.6). */
function judgeAbsence({ options, client }: Facts, { seen, alert, saysNoneSent, how }: Refusal): Judgement {
  const none = 'the server asked for a certificate and the client sent an empty list';
  const scheme = client?.faults.find(({ code }) => code === 'CLIENT_SIGALG_UNSUPPORTED');
  if (scheme !== undefined) return { code: scheme.code, confidence: 'certain', evidence: [...scheme.evidence, none, seen] };
  const confidence = saysNoneSent || alert === 40 ? 'certain' : 'likely';
  if (options.client === undefined) return { code: 'CLIENT_CERT_REQUIRED', confidence, evidence: [none, seen] };
  const unusable = client?.faults.find(({ code }) => code === 'CLIENT_KEY_MISMATCH' || code === 'CLIENT_KEY_UNREADABLE');
  if (unusable !== undefined) return { code: unusable.code, confidence: 'certain', evidence: [...unusable.evidence, none, seen] };
  const alternatives: DiagnosisCode[] =
    how === 'alert' ? ['CLIENT_SIGALG_UNSUPPORTED'] : ['CLIENT_SIGALG_UNSUPPORTED', 'CLIENT_CERT_REJECTED'];
  return { code: 'CLIENT_CERT_REQUIRED', confidence: 'likely', evidence: [none, seen], alternatives };
}

function judgeCertificate(facts: Facts, refusal: Refusal): Judgement {
  const { alert, seen } = refusal;
  const toStranger = facts.again.withStranger === undefined ? undefined : refusalOf(facts.again.withStranger, false);
  if (refusal.how === 'closed' && toStranger?.how === 'alert') {
    const told = `with a self-signed certificate, ${toStranger.seen}: it says why when it minds a certificate, and said nothing to ours`;
    const alternatives: DiagnosisCode[] = ['CLIENT_CERT_REJECTED'];
    const summary = 'the certificate was accepted and the connection ended behind the handshake: by a policy, or for want of a backend';
    return {
      code: 'CLIENT_NOT_AUTHORIZED',
      confidence: 'possible',
      evidence: [seen, told],
      alternatives,
      summary,
      stage: 'client-certificate',
    };
  }
  const saying = (alert === undefined || alert === null ? undefined : SAYINGS[alert]) ?? ANYTHING;
  const isNamed = saying.names.length > 0;
  const own = mostExact(facts.client?.faults ?? []);
  const fitting = isNamed ? own.filter(({ code }) => saying.names.includes(code)) : own;
  const [fault, ...others] = fitting;
  if (fault === undefined) {
    const { because, code, confidence, alternatives } = saying.otherwise(facts);
    const clean = own.length === 0 ? ["the client's own files show no fault"] : [];
    return { code, confidence, evidence: [seen, ...(because === undefined ? clean : [because])], alternatives };
  }
  const alternatives = [...others.map(({ code }) => code), ...fault.alternatives];
  const confidence = isNamed && alternatives.length === 0 ? 'certain' : 'likely';
  return { code: fault.code, confidence, evidence: [...fault.evidence, seen], alternatives };
}

/** Without those that another one says more exactly. */
const mostExact = (faults: readonly Fault[]): Fault[] =>
  faults.filter(({ code }) => !faults.some((other) => impliesCode(other.code, code)));
