import type { Purpose } from '../request.js';
import type { Acceptance } from './acceptance.js';
import type { DeploymentCode } from './findings.js';
import type { Policy } from './policy.js';
import type { Service } from './service.js';

/** What one service would come to when it opens a connection to another. */
export interface Pair {
  readonly client: Service;
  readonly server: Service;
  readonly refusal: Refusal | undefined;
  /** It should work: the policy says so; without one, both are for it by their extended key usage. */
  readonly isMeant: boolean;
}

/** Why not: the first reason in the order of the handshake, in which the client decides before it shows its own certificate (RFC 8446 §4.4). */
interface Refusal {
  readonly by: Purpose;
  /** It is about its own files, by which it can talk to nobody, and not about the other's certificate. */
  readonly isOwn: boolean;
  readonly reason: Reason;
}

interface Reason {
  readonly code: DeploymentCode;
  readonly message: string;
}

/**
 * Each service against each other one, the first as client. Either side asks of the other's certificate what its own
 * CAs and CRLs say; that the server is called by one of its DNS names is taken as given.
 */
export function* pairsOf(services: readonly Service[], acceptance: Acceptance, policy?: Policy): Generator<Pair> {
  for (const client of services) {
    for (const server of services) {
      if (client === server) continue;
      const isAllowed = policy?.allows(client, server);
      const refusal = refusalOf(client, server, acceptance) ?? (isAllowed === false ? NOT_ALLOWED : undefined);
      yield { client, server, refusal, isMeant: isAllowed ?? (client.roles.includes('client') && server.roles.includes('server')) };
    }
  }
}

const NOT_ALLOWED: Refusal = {
  ...{ by: 'server', isOwn: false },
  reason: { code: 'NOT_ALLOWED', message: 'no line of the policy lets this client talk to this server' },
};

/** Undefined: they could talk, going by certificates alone. */
function refusalOf(client: Service, server: Service, acceptance: Acceptance): Refusal | undefined {
  return (
    ownFault('server', server.unable) ??
    ownFault('client', client.unable) ??
    ownFault('client', client.distrusts) ??
    refusalBy('client', acceptance.regard(client, server).as('server').reason) ??
    ownFault('server', server.distrusts) ??
    refusalBy('server', acceptance.regard(server, client).as('client').reason)
  );
}

const ownFault = (by: Purpose, reason: Reason | undefined): Refusal | undefined =>
  reason === undefined ? undefined : { by, isOwn: true, reason };

const refusalBy = (by: Purpose, reason: Reason | undefined): Refusal | undefined =>
  reason === undefined ? undefined : { by, isOwn: false, reason };

/** One reason for which links that are meant do not work, and all that it stands in the way of. */
export interface Obstacle {
  /** Who is refused. */
  readonly service: Service;
  /** As what; null when it can talk to nobody, whoever that is. */
  readonly as: Purpose | null;
  readonly code: DeploymentCode;
  readonly message: string;
  /** By whom; nobody when it is its own fault. */
  readonly refusedBy: readonly Service[];
}

/** Collects the reasons of many pairs: the same one of many pairs is one. */
export class Obstacles {
  /** The reason is one object for all who see a certificate alike: only those few are compared by what they say. */
  readonly #found = new Map<Reason, { readonly service: Service; readonly as: Purpose | null; readonly refusedBy: Set<Service> }>();

  add({ client, server, refusal, isMeant }: Pair): void {
    if (refusal === undefined || !isMeant) return;
    const { by, isOwn, reason } = refusal;
    const [refusing, as] = by === 'client' ? [client, 'server' as const] : [server, 'client' as const];
    const service = isOwn ? refusing : as === 'server' ? server : client;
    let known = this.#found.get(reason);
    if (known === undefined) this.#found.set(reason, (known = { service, as: isOwn ? null : as, refusedBy: new Set() }));
    if (!isOwn) known.refusedBy.add(refusing);
  }

  list(): readonly Obstacle[] {
    const merged = new Map<string, Obstacle & { readonly refusedBy: Service[] }>();
    for (const [{ code, message }, { service, as, refusedBy }] of this.#found) {
      const key = JSON.stringify([service.name, as, code, message]);
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { service, as, code, message, refusedBy: [...refusedBy] });
      else known.refusedBy.push(...refusedBy);
    }
    return [...merged.values()];
  }
}
