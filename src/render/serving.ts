import type { LogFields } from '../base/log.js';
import { mark, style } from './style.js';

const clock = (iso: string): string => style.dim(iso.slice(11, 19));

export const renderServing = ({ time, url }: { readonly time: string; readonly url: string }): string =>
  `${clock(time)} serving on ${style.strong(url)}`;

/** One answer, in a line: what came of it, about what, to whom. */
export function renderAnswered(line: LogFields & { readonly time: string }): string {
  const { time, method, status, from, outcome, certificates, crl, reason } = line;
  const isAnswer = status === 304 || (status === 200 && (outcome === undefined || outcome === 'successful'));
  const about = [crl, outcome, certificates, reason].filter((part) => part !== undefined).join(', ');
  return [
    clock(time),
    isAnswer ? mark.good : mark.bad,
    `${method} ${status}`,
    ...(about === '' ? [] : [about]),
    style.dim(String(from)),
  ].join(' ');
}
