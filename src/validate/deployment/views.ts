import { isoTime } from '../../pki/fields.js';
import { identityOf } from '../identity.js';
import { type Deployment, servicesIn } from './deployment.js';
import { type Ending, type ForecastOptions, forecast } from './forecast.js';
import { Obstacles, type Pair, pairsOf } from './pairs.js';
import type { Policy } from './policy.js';

/** More pairs than this are counted and explained, but not listed: a thousand services have a million. */
const PAIRS_LISTED = 1_000_000;

export function servicesView({ services }: Deployment) {
  return services.map(
    ({
      service: {
        name,
        directory,
        files,
        roles,
        chain: [leaf],
      },
      findings,
    }) => ({
      ...{ name, directory, files, roles },
      identity: leaf === undefined ? null : (identityOf(leaf)?.id ?? null),
      notAfter: leaf === undefined ? null : isoTime(leaf.notAfter),
      good: findings.length === 0,
      findings,
    }),
  );
}

/** Who could talk to whom: `pairs` one by one where they are not too many, `refusals` the reasons why links that are meant do not work. */
export function pairsView(deployment: Deployment, policy: Policy | undefined, listed = PAIRS_LISTED) {
  const all = servicesIn(deployment);
  const pairs: ReturnType<typeof pairView>[] | null = all.length * (all.length - 1) <= listed ? [] : null;
  const counts = { total: 0, ok: 0, refused: 0, notMeant: 0 };
  const obstacles = new Obstacles();
  for (const pair of pairsOf(all, deployment.acceptance, policy)) {
    counts.total++;
    counts[pair.refusal === undefined ? 'ok' : pair.isMeant ? 'refused' : 'notMeant']++;
    obstacles.add(pair);
    pairs?.push(pairView(pair));
  }
  const refusals = obstacles.list().map(({ service, as, code, message, refusedBy }) => ({
    ...{ service: service.name, as, code, message },
    refusedBy: refusedBy.map(({ name }) => name),
  }));
  return { counts, refusals, pairs };
}

// written out: a million of these are made, and spreading takes four times as long
const pairView = ({ client, server, refusal, isMeant }: Pair) => ({
  client: client.name,
  server: server.name,
  ok: refusal === undefined,
  meant: isMeant,
  refusedBy: refusal?.by ?? null,
  code: refusal?.reason.code ?? null,
  message: refusal?.reason.message ?? null,
});

/** What ends within a span, and what that takes down. */
export function forecastView(deployment: Deployment, options: ForecastOptions) {
  const endings = forecast(servicesIn(deployment), deployment.acceptance, options);
  return { until: isoTime(deployment.at.getTime() + options.within), endings: endings.map(endingView) };
}

const endingView = ({ ends, services, firstLinks, ...ending }: Ending) => ({
  ends: isoTime(ends),
  ...ending,
  services: services.map(({ name }) => name),
  firstLinks: firstLinks.map(({ client, server }) => ({ client: client.name, server: server.name })),
});
