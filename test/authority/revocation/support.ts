import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AnsweringAuthority, OcspResponder } from '../../../src/authority/revocation/ocsp-responder.js';
import { ocspRoute } from '../../../src/authority/revocation/ocsp-route.js';
import { type RunningServer, startRevocationServer } from '../../../src/authority/revocation/server.js';
import type { Route } from '../../../src/authority/revocation/route.js';
import type { LogFields } from '../../../src/base/log.js';
import type { CertificateStatus } from '../../../src/pki/ocsp-write.js';
import { OID } from '../../../src/pki/oids.js';
import { DAY, HOUR, type Recipe, authority, certify } from '../../support/chains.js';
import { findProgram } from '../../support/programs.js';

/** What these programs look at is the machine's clock. */
const now = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + DAY) };
const live = (recipe: Recipe) => certify({ ...now, ...recipe });

/** A CA that is answered for, and three leaves of it: of the last it knows nothing. */
export function livePki() {
  const ca = authority({ name: 'ca', ...now });
  const [good, revoked, never] = ['good', 'revoked', 'never'].map((name) => live({ name, by: ca, names: { dns: ['localhost'] } }));
  const statuses = new Map<string, CertificateStatus>([
    [good!.certificate.serial, { status: 'good' }],
    [revoked!.certificate.serial, { status: 'revoked', at: now.notBefore, reason: 'keyCompromise' }],
  ]);
  const delegate = live({ name: 'OCSP of ca', by: ca, purposes: [OID.ocspSigning] });
  const answering: AnsweringAuthority = {
    issuer: ca.certificate,
    responder: delegate,
    statusOf: (serial) => statuses.get(serial) ?? { status: 'unknown' },
  };
  return { ca, good: good!, revoked: revoked!, never: never!, delegate, statuses, answering };
}

export interface Served extends RunningServer {
  readonly logged: { readonly event: string; readonly fields: LogFields }[];
}

/** Serves on a port of the system's choice. */
export async function served(route: Route, options: { readonly drainMs?: number } = {}): Promise<Served> {
  const logged: Served['logged'] = [];
  const log = (event: string, fields: LogFields = {}): void => void logged.push({ event, fields });
  const ends = { host: '127.0.0.1', port: 0, clock: () => new Date(), log: { info: log, warn: log } };
  return { ...(await startRevocationServer({ ...ends, route, ...options })), logged };
}

/** An OCSP responder for these CAs; a list that is another each time gives no answer twice. */
export const servedOcsp = (...authorities: readonly AnsweringAuthority[]): Promise<Served> =>
  served(ocspRoute(new OcspResponder(async () => authorities)));

/** Runs a program of somebody else, which may ask a server of this process; what it printed on both streams. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(findProgram(program)!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('latin1').on('data', (part: string) => (text += part));
  await once(child, 'close');
  return text;
}
