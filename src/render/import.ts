import type { importedView } from '../authority/import/import.js';
import { mark, style } from './style.js';

export function renderImported(view: ReturnType<typeof importedView>): string {
  const { name, subject, notAfter, uri, dns, ip, certificate, encrypted, chain, leftOut, replaced } = view;
  const names = [...uri, ...dns, ...ip];
  return [
    `${mark.good} ${style.strong(name ?? subject)}, until ${notAfter.slice(0, 10)}`,
    ...(names.length === 0 ? [] : [`  ${style.dim(names.join(', '))}`]),
    `  ${certificate}, with tls.key${encrypted ? ' (under the passphrase)' : ''} and ca.crt beside it`,
    `  under ${chain.join(', under ')}`,
    ...(replaced === null ? [] : [`  the one that was here is valid until ${replaced.notAfter.slice(0, 10)}: ${replaced.serial}`]),
    ...leftOut.map(({ path, what }) => `  ${mark.warn} left out: ${what}, in ${path}`),
  ].join('\n');
}
