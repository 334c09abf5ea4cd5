export { type BatchAnswer, ReadOnce, answerLine, refusal } from './batch.js';
export { FINDINGS, type Finding, type FindingCode } from './findings.js';
export { type SpiffeId, identityOf, parseSpiffeId, serviceId } from './identity.js';
export { type NameQuery, matchesEmail, matchesHost, matchesIp, matchesName, matchesUri } from './names.js';
export type { PolicyInputs, Purpose, Verdict, VerifyRequest } from './request.js';
export { verify } from './verify.js';
