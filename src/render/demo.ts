import type { DemoReport, Refusal } from '../demo/index.js';
import { mark, style } from './style.js';

export function renderDemo({ ok, kept, workspace, root, services, passage, refusals }: DemoReport & { readonly kept: boolean }): string {
  return [
    style.strong('what must work'),
    `  ${mark.good} ${root} issued ${services.map(({ name }) => name).join(' and ')}`,
    `  ${passage.ok ? mark.good : mark.bad} a request from web to api, through both sidecars: HTTP ${passage.status}, ${passage.version ?? 'no TLS'}, ${passage.cipher ?? ''}`,
    `      caller   ${passage.caller ?? 'unknown'}`,
    `      service  ${passage.service ?? 'unknown'}`,
    '',
    style.strong('what must fail'),
    ...refusals.flatMap(renderRefusal),
    '',
    `${ok ? `${mark.good} all went as it must` : `${mark.bad} not all went as it must`}; ${kept ? `kept in ${workspace}` : 'everything was stopped and removed'}`,
  ].join('\n');
}

function renderRefusal({ ok, title, refusedBy, stage, decision, diagnosis }: Refusal): string[] {
  return [
    `  ${ok ? mark.good : mark.bad} ${title}: ${refusedBy === null ? style.bad('nobody refused it') : `refused by the ${refusedBy}, at ${stage}`}`,
    ...(decision === null ? [] : [`      api says    ${decision.reason} ${style.dim(decision.code)}`]),
    `      probe says  ${diagnosis.summary} ${style.dim(`${diagnosis.code}, ${diagnosis.confidence}`)}`,
  ];
}
