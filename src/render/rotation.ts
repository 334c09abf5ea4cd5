import type { planView, standingView, stepView } from '../authority/rotation/index.js';
import { mark, style } from './style.js';

type Standing = ReturnType<typeof standingView>;
type Root = Standing['signs'];

const rootText = ({ name, key, notAfter }: Root): string =>
  `${style.strong(name)} (key ${key.slice(0, 8)}, until ${notAfter.slice(0, 10)})`;

/** What comes next, from each state. */
const NEXT: Readonly<Record<Standing['state'], readonly string[]>> = {
  steady: ['to put another root in its place: mtls authority rotate prepare'],
  prepared: ['give the bundle to every service that is not here', 'then: mtls authority rotate activate'],
  activated: ['next: mtls renew --all --revoke-old', 'then: mtls authority rotate retire'],
};

export function renderStanding({ state, signs, trustedToo, bundle, unfinished }: Standing): string {
  return [
    `${mark.good} ${rootText(signs)} signs`,
    ...(trustedToo === null
      ? []
      : [`  ${rootText(trustedToo)} is trusted too: ${state === 'prepared' ? 'it signs next' : 'it signed before'}`]),
    `  whom to trust: ${bundle}`,
    ...(unfinished ? [`  ${mark.warn} the last step was cut short: the same one again brings it to its end`] : []),
    ...NEXT[state].map((line) => `  ${line}`),
  ].join('\n');
}

/** How many of a long list are shown to a person; --json has all. */
const SHOWN = 20;

const blockersText = (blockers: ReturnType<typeof stepView>['blockers']): string[] => [
  ...blockers.slice(0, SHOWN).flatMap(({ service, where, meaning, remedy }) => {
    return [`  ${mark.bad} ${style.strong(service)}: ${meaning}`, `    ${where}`, `    ${remedy}`];
  }),
  ...(blockers.length > SHOWN ? [`  and ${blockers.length - SHOWN} more: --json has all`] : []),
];

export function renderStep(view: ReturnType<typeof stepView>): string {
  const { step, done, blockers, services, failed, crossSigned, state } = view;
  if (!done) return [`${mark.bad} ${step} would break what runs, and nothing was changed`, ...blockersText(blockers)].join('\n');
  return [
    renderStanding(view),
    ...(services.length === 0 ? [] : [`  ${services.length} ${services.length === 1 ? 'service' : 'services'} here got the bundle`]),
    ...failed.map(({ name, problem }) => `  ${mark.warn} ${name} did not: ${problem}`),
    ...(state === 'prepared' && !crossSigned
      ? [`  ${mark.warn} not cross-signed: who knows only the old root will refuse new certificates`]
      : []),
  ].join('\n');
}

export function renderPlan({ steps, edges, services, unmatched, crossSigned }: ReturnType<typeof planView>): string {
  const head = `${services.length} services, ${edges} connections that work now${crossSigned ? '' : ', without cross-signing'}`;
  return [
    head,
    ...unmatched.map(({ message, file }) => `${mark.warn} ${file}: ${message}`),
    ...steps.flatMap(({ step, broken, blockers }) => {
      if (blockers.length > 0)
        return [`${mark.warn} ${step} will be refused until these are told`, ...blockersText(blockers), ...brokenText(step, broken)];
      return broken.length === 0 ? [`${mark.good} ${step} breaks nothing`] : brokenText(step, broken);
    }),
  ].join('\n');
}

type Plan = ReturnType<typeof planView>;

function brokenText(step: string, broken: Plan['steps'][number]['broken']): string[] {
  if (broken.length === 0) return [];
  const told = broken.slice(0, SHOWN).flatMap(({ client, server, by, message, bundle }) => {
    return [`  ${client} -> ${server}: ${by} refuses: ${message}`, ...(bundle === null ? [] : [`    ${bundle} needs the new root before`])];
  });
  const more = broken.length - SHOWN;
  return [`${mark.bad} ${step} breaks ${broken.length}`, ...told, ...(more > 0 ? [`  and ${more} more: --json has all`] : [])];
}
