export type { DecisionCode } from './admission.js';
export type { AuditLine } from './audit.js';
export type { CredentialFiles } from './credentials.js';
export { type Endpoint, SCHEMES, type Scheme, parseEndpoint } from './endpoint.js';
export { type ProxyOptions, type RunningProxy, startProxy } from './proxy.js';
