import type { crlView, installedView, keyMovedView, passphraseView, requestedView } from '../authority/index.js';
import { mark, style } from './style.js';

const day = (iso: string): string => iso.slice(0, 10);

type KeyMoved = ReturnType<typeof keyMovedView>;

const lasting = ({ number, nextUpdate, path }: ReturnType<typeof crlView>): string =>
  `  CRL ${number} of it is in force until ${nextUpdate === null ? '?' : day(nextUpdate)}: ${path}`;

export const renderSealed = ({ root, key, crl }: KeyMoved): string =>
  [
    `${mark.good} the key of ${style.strong(root)} is in ${key}, and here no more`,
    lasting(crl),
    `  before that day, or to revoke the issuing CA: mtls authority unseal ${key}`,
  ].join('\n');

export const renderBurnt = ({ root, crl }: KeyMoved): string =>
  [`${mark.good} the key of ${style.strong(root)} is gone for good`, lasting(crl)].join('\n');

export const renderUnsealed = ({ root, key, crl, file }: KeyMoved & { readonly file: string }): string =>
  [
    `${mark.good} the key of ${style.strong(root)} is back: ${key}`,
    lasting(crl),
    `  it is still in ${file} too, and goes back there with: mtls authority seal --out ${file}`,
  ].join('\n');

export function renderPassphrase({ changed, unchanged, removed }: ReturnType<typeof passphraseView>): string {
  const how = removed ? 'lies open now' : 'is under the new passphrase';
  return [
    ...changed.map((path) => `${mark.good} ${path} ${how}`),
    ...unchanged.map((path) => `${mark.none} ${path} ${removed ? 'lay open' : 'was under it'} already`),
  ].join('\n');
}

export const renderRequested = ({ workspace, trustDomain, request }: ReturnType<typeof requestedView>): string =>
  [
    `${mark.good} a CA that waits for its certificate`,
    `  trust domain ${trustDomain}, in ${workspace}`,
    `  to be signed by your company's CA: ${request}`,
    `  next: mtls authority install CERT --chain ROOT --crl CRL`,
  ].join('\n');

export function renderInstalled({ issuing, root, between, crl, withoutCrl, renewed }: ReturnType<typeof installedView>): string {
  const above = [...between, root.name].join(', below ');
  return [
    `${mark.good} ${style.strong(issuing.name)}, below ${above}, until ${day(issuing.notAfter)}`,
    lasting(crl),
    ...withoutCrl.map((name) => `${mark.warn} no CRL of ${name} is here: peers that ask for one refuse everybody; add it with --crl`),
    ...(renewed ? ['  services send the CA that they were issued with: it holds until it ends'] : ['  next: mtls issue api web']),
  ].join('\n');
}
