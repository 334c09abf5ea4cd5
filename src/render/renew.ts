import { mark, style } from './style.js';

/** One thing that `renew` did: what `--json` prints, with the time in a line of `--watch`. */
export type RenewView =
  | {
      readonly event: 'renewed';
      readonly name: string;
      readonly serial: string;
      readonly notAfter: string;
      readonly replaced: string | null;
    }
  | { readonly event: 'hooked' | 'revoked'; readonly name: string }
  | { readonly event: 'failed'; readonly name: string; readonly code: string; readonly message: string; readonly hints: readonly string[] }
  | { readonly event: 'crls'; readonly crls: readonly { readonly issuer: string; readonly number: number }[] };

export function renderRenewEvent(view: RenewView): string {
  switch (view.event) {
    case 'renewed':
      return `${mark.good} ${style.strong(view.name)} renewed, until ${view.notAfter.slice(0, 10)}`;
    case 'hooked':
      return `  ${view.name}: told whoever uses it`;
    case 'revoked':
      return `  ${view.name}: the certificate before is revoked (superseded)`;
    case 'failed':
      return [`${mark.bad} ${style.strong(view.name)}: ${view.message}`, ...view.hints.map((hint) => `  ${hint}`)].join('\n');
    case 'crls':
      return view.crls.map(({ issuer, number }) => `${mark.good} CRL ${number} of ${issuer}`).join('\n');
  }
}

export const renderRenewed = (events: readonly RenewView[]): string =>
  events.length === 0 ? `${mark.none} nothing is due` : events.map(renderRenewEvent).join('\n');
