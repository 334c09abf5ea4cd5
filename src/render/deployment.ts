import type { deploymentRule, forecastView, pairsView, servicesView } from '../validate/deployment/index.js';
import { inOneLine } from './formats/characters.js';
import type { Check, Report } from './formats/report.js';
import { mark, style } from './style.js';

type Pairs = ReturnType<typeof pairsView>;
type Forecast = ReturnType<typeof forecastView> & { readonly within: string };
type Services = ReturnType<typeof servicesView>;

/** What `verify --dir` came to. */
interface Deployed {
  readonly good: boolean;
  readonly at: string;
  readonly directory: string;
  readonly services: Services;
  readonly findings: Services[number]['findings'];
  readonly counts?: Pairs['counts'];
  readonly refusals?: Pairs['refusals'];
  readonly pairs?: Pairs['pairs'];
  readonly forecast?: Forecast;
}

/** A matrix wider than this is read by nobody. */
const MATRIX = 30;
/** Services that are well are named up to here. */
const NAMED = 50;
const REASONS_TOLD = 100;

/** The services and what is wrong with them; who could talk to whom; what ends first. Whatever was not asked for is not there. */
export async function renderDeployment(deployed: Deployed): Promise<string> {
  const { counts, refusals = [], pairs, services, forecast } = deployed;
  const isMatrix = pairs !== undefined && pairs !== null && services.length > 1 && services.length <= MATRIX;
  return [
    ...renderServices(deployed),
    ...(counts === undefined ? [] : ['', ...(isMatrix ? [await renderMatrix(services, pairs)] : []), ...renderRefusals(counts, refusals)]),
    ...(forecast === undefined ? [] : ['', await renderForecast(forecast)]),
  ].join('\n');
}

function renderServices({ services, findings, directory }: Deployed): string[] {
  const good = services.filter((service) => service.good);
  const told =
    services.length <= NAMED
      ? good.map(({ name, roles }) => `${mark.good} ${style.strong(inOneLine(name))} ${style.dim(`(${roles.join(', ')})`)}`)
      : [];
  // one CRL that is late is a finding of everyone who has it: told once
  const groups = new Map<string, { readonly finding: Services[number]['findings'][number]; readonly names: string[] }>();
  for (const { name, findings: own } of services) {
    for (const finding of own) {
      const key = JSON.stringify([finding.code, finding.file, finding.message]);
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { finding, names: [name] });
      else known.names.push(name);
    }
  }
  const lines = [...findings.map((finding) => ({ finding, names: [] })), ...groups.values()].map(
    ({ finding: { severity, code, message, file }, names }) => {
      const [sign, colour] = severity === 'error' ? [mark.bad, style.bad] : [mark.warn, style.warn];
      const whose = names.length === 0 ? inOneLine(file) : few(names);
      return `${sign} ${style.strong(whose)}  ${colour(code)}  ${inOneLine(message)}${message.includes(file) || names.length === 0 ? '' : style.dim(` (${inOneLine(file)})`)}`;
    },
  );
  return [...told, ...lines, `${counted(services.length, 'service')} in ${inOneLine(directory)}, ${good.length} good`];
}

async function renderMatrix(services: Services, pairs: NonNullable<Pairs['pairs']>): Promise<string> {
  const places = new Map(services.map(({ name }, i) => [name, i]));
  const cells = services.map(() => services.map(() => ' '));
  for (const { client, server, ok, meant } of pairs) {
    cells[places.get(client)!]![places.get(server)!] = ok ? mark.good : meant ? mark.bad : mark.none;
  }
  const head = ['client \\ server', ...services.map((_, i) => String(i + 1))];
  const rows = services.map(({ name }, i) => [`${String(i + 1).padStart(2)} ${inOneLine(name)}`, ...cells[i]!]);
  const note = cells.flat().includes(mark.none) ? [style.dim(`${mark.none} not meant to: by the policy, or not for this purpose`)] : [];
  return [await table(head, rows), ...note].join('\n');
}

function renderRefusals({ total, ok, refused, notMeant }: Pairs['counts'], refusals: Pairs['refusals']): string[] {
  const rest = refusals.length - REASONS_TOLD;
  return [
    ...refusals.slice(0, REASONS_TOLD).map(({ service, as, code, message, refusedBy }) => {
      const refuse = refusedBy.length === 1 ? 'refuses' : 'refuse';
      const what = as === null ? `${few([service])} can talk to nobody` : `${few(refusedBy)} ${refuse} ${few([service])} as a ${as}`;
      return `${mark.bad} ${what}: ${style.bad(code)}  ${inOneLine(message)}`;
    }),
    ...(rest > 0 ? [`  and ${counted(rest, 'reason')} more; --json has all`] : []),
    `${counted(total, 'pair')}: ${ok} could talk, ${refused} could not${notMeant === 0 ? '' : `, ${notMeant} not meant to`}`,
  ];
}

async function renderForecast({ within, until, endings }: Forecast): Promise<string> {
  const deadly = endings.filter(({ services, links }) => services.length > 0 || links > 0).length;
  if (endings.length === 0) return `${mark.good} nothing ends within ${within}, until ${until}`;
  const rows = endings.map(({ ends, what, whose, services, links }) => {
    const nothing = services.length === 0 && links === 0;
    const taken = [...(services.length === 0 ? [] : [few(services)]), ...(links === 0 ? [] : [counted(links, 'link')])].join('; ');
    return [
      nothing ? mark.none : mark.bad,
      ends,
      what,
      inOneLine(whose),
      nothing ? style.dim('takes nothing down') : `takes down ${taken}`,
    ];
  });
  const sign = deadly === 0 ? mark.good : mark.bad;
  return `${await table(['', 'ENDS', 'WHAT', 'WHOSE', ''], rows)}\n${sign} within ${within}, until ${until}: ${counted(endings.length, 'end')}, ${deadly} of which ${deadly === 1 ? 'takes' : 'take'} something down`;
}

async function table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const made = new Table({ head: [...head], chars: WITHOUT_LINES, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 } });
  made.push(...rows.map((row) => [...row]));
  return made.toString().replace(/ +$/gm, '');
}

const WITHOUT_LINES = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-left`, `${side}-mid`, `${side}-right`])
    .concat('middle')
    .map((part) => [part, '']),
);

const few = (names: readonly string[]): string => {
  const shown = names.slice(0, 5).map(inOneLine).join(', ');
  return names.length <= 5 ? shown : `${shown} and ${names.length - 5} more`;
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Each service a check; with pairs, each service once more for what refuses it; with a forecast, each thing that ends. */
export function deploymentReport({ services, findings, directory, refusals, forecast }: Deployed, ruleOf: typeof deploymentRule): Report {
  const tree: Check = { name: `${directory}: tree`, good: findings.length === 0, findings };
  const own = services.map(({ name, files, good, findings: found }): Check => ({ name, file: files.certificate, good, findings: found }));
  return {
    tool: {
      command: 'verify',
      document: 'docs/findings.md',
      ruleOf: (code) => {
        const { meaning, source } = ruleOf(code);
        return { text: meaning, ...(source === null ? {} : { source }) };
      },
    },
    checks: [...(tree.good ? [] : [tree]), ...own, ...talkChecks(services, refusals), ...endingChecks(forecast)],
  };
}

function talkChecks(services: Services, refusals: Pairs['refusals'] | undefined): Check[] {
  if (refusals === undefined) return [];
  const byService = new Map<string, Pairs['refusals'][number][]>();
  for (const refusal of refusals) {
    const known = byService.get(refusal.service);
    if (known === undefined) byService.set(refusal.service, [refusal]);
    else known.push(refusal);
  }
  return services.map(({ name, files }): Check => {
    const found = byService.get(name) ?? [];
    return {
      ...{ name: `${name}: pairs`, file: files.certificate, good: found.length === 0 },
      findings: found.map(({ as, code, message, refusedBy }) => ({
        ...{ code, severity: 'error' },
        message: as === null ? `can talk to nobody: ${message}` : `as a ${as}, by ${few(refusedBy)}: ${message}`,
      })),
    };
  });
}

function endingChecks(forecast: Forecast | undefined): Check[] {
  return (forecast?.endings ?? []).map(({ ends, what, whose, file, services, links }): Check => {
    const good = services.length === 0 && links === 0;
    const message = `ends ${ends}, within ${forecast!.within}: takes down ${counted(services.length, 'service')} and ${counted(links, 'link')}`;
    return {
      name: `${what} of ${whose} in ${file}: end`,
      file,
      good,
      findings: good ? [] : [{ code: 'ENDS_SOON', severity: 'error', message }],
    };
  });
}
