import type { DiagnosisCode } from './diagnoses.js';

/** The steps of a connection, in order. */
export const STAGES = ['dns', 'tcp', 'hello', 'server-certificate', 'client-certificate', 'finished', 'application'] as const;
export type StageName = (typeof STAGES)[number];

/** `warning`: it went on, and something is to be said about it. `skipped`: it did not come to this. */
export type StageStatus = 'ok' | 'failed' | 'skipped' | 'warning';

/** One step: how it went, what it took, and what was found. */
export interface Stage {
  readonly name: StageName;
  readonly status: StageStatus;
  /** Whole milliseconds of this step alone. */
  readonly ms: number;
  readonly detail: string;
}

/** Whose affair it is. `config`: both sides work and do not fit. */
export type Side = 'none' | 'client' | 'server' | 'network' | 'config';

/** `certain`: proven by what was seen. `likely`: fits best. `possible`: one of several that fit. */
export type Confidence = 'certain' | 'likely' | 'possible';

/** A certificate as it was sent; one that is malformed is told by its fingerprint and its fault. */
export type SentCertificate =
  | {
      readonly subject: string;
      readonly issuer: string;
      readonly serial: string;
      readonly notBefore: string;
      readonly notAfter: string;
      readonly names: readonly string[];
      readonly sha256: string;
    }
  | { readonly malformed: string; readonly sha256: string };

export interface AlertReport {
  readonly from: 'client' | 'server';
  readonly level: string | null;
  /** null when the alert was encrypted and could not be opened. */
  readonly code: number | null;
  readonly name: string | null;
}

/** What was said in the handshake: facts only; null is "not seen". */
export interface HandshakeReport {
  readonly version: string | null;
  readonly cipher: string | null;
  readonly group: string | null;
  readonly alpn: string | null;
  readonly resumed: boolean;
  readonly serverChain: readonly SentCertificate[];
  /** Did the server staple an OCSP response to its certificate? What is wrong with it is in the stage. */
  readonly ocspStapled: boolean;
  readonly certificateRequest: { readonly authorities: readonly string[]; readonly signatureAlgorithms: readonly string[] } | null;
  readonly clientCertificate: {
    readonly sent: boolean;
    readonly subject: string | null;
    /** Is an issuer of what was sent among the CAs that the server names? null when it names none, or nothing was sent. */
    readonly issuerAccepted: boolean | null;
  };
  readonly alerts: readonly AlertReport[];
}

/** What it comes to. `code` is the likeliest cause, `alternatives` the others that fit what was seen. */
export interface Diagnosis {
  readonly code: DiagnosisCode;
  readonly side: Side;
  readonly stage: StageName;
  readonly confidence: Confidence;
  readonly summary: string;
  readonly evidence: readonly string[];
  /** Commands to paste, or what to change where no command can. */
  readonly fixes: readonly string[];
  readonly alternatives: readonly DiagnosisCode[];
}

/** The answer to `mtls probe`, as `--json` prints it. */
export interface ProbeReport {
  readonly endpoint: string;
  readonly stages: readonly Stage[];
  readonly handshake: HandshakeReport;
  readonly diagnosis: Diagnosis;
}
