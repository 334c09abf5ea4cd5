import { type RenewView, renderRenewEvent } from './renew.js';
import { mark, style } from './style.js';

/** One thing that `crl --watch` did: a line of `--json`, with the time. */
export type CrlWatchView =
  | Extract<RenewView, { readonly event: 'crls' | 'failed' }>
  | { readonly event: 'ending'; readonly issuer: string; readonly path: string; readonly nextUpdate: string | null };

export function renderCrlEvent(view: CrlWatchView): string {
  if (view.event !== 'ending') return renderRenewEvent(view);
  const { issuer, path, nextUpdate } = view;
  const end = nextUpdate === null ? 'is not there' : `ends ${nextUpdate}`;
  return `${mark.warn} the CRL of ${style.strong(issuer)} ${end}, and its key is not here: get the next one to ${path}`;
}
