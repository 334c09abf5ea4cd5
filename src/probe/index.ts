export { DIAGNOSES, DIAGNOSIS_CODES, type DiagnosisCode } from './diagnoses.js';
export type { ClientIdentity } from './handshake.js';
export { type EndpointView, type InspectOptions, inspectEndpoint } from './inspect-endpoint.js';
export type { ProbeLabels, ProbeOptions } from './options.js';
export { probe } from './probe.js';
export {
  type AlertReport,
  type Confidence,
  type Diagnosis,
  type HandshakeReport,
  type ProbeReport,
  STAGES,
  type SentCertificate,
  type Side,
  type Stage,
  type StageName,
  type StageStatus,
} from './report.js';
export { STARTTLS_PROTOCOLS, type StarttlsProtocol } from './starttls.js';
