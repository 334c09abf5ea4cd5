import { OID } from '../../pki/oids.js';

const OF_TLS: ReadonlySet<string> = new Set([OID.serverAuth, OID.clientAuth, OID.anyExtendedKeyUsage]);

/** Do these purposes let a key take part in TLS? None at all is all of them. */
export const isForTls = (purposes: readonly string[] | undefined): boolean => purposes?.some((purpose) => OF_TLS.has(purpose)) ?? true;
