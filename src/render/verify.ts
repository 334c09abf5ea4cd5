import type { ExplainedCertificate } from '../validate/index.js';
import { renderPath } from './explain.js';
import { inOneLine } from './formats/characters.js';
import { mark, style } from './style.js';

interface Verified {
  readonly at: string;
  readonly certificates: readonly {
    readonly file: string;
    readonly valid: boolean;
    readonly errors: readonly { readonly code: string; readonly message: string }[];
    readonly warnings: readonly { readonly code: string; readonly message: string }[];
    readonly path: readonly string[];
    readonly explained?: readonly ExplainedCertificate[];
  }[];
}

/** Each certificate: good by which path, or every reason why not. */
export function renderVerified({ certificates }: Verified): string {
  return certificates
    .flatMap(({ file, valid, errors, warnings, path, explained }) => [
      `${valid ? mark.good : mark.bad} ${style.strong(inOneLine(file))} is ${[valid ? 'good' : 'not good', ...(path.length > 0 ? [path.join(` ${mark.from} `)] : [])].join(': ')}`,
      ...errors.map(({ code, message }) => `  ${style.bad(code)}  ${inOneLine(message)}`),
      ...warnings.map(({ code, message }) => `  ${style.warn(code)}  ${message}`),
      ...(explained === undefined ? [] : ['', ...renderPath(explained).replace(/^/gm, '  ').split('\n')]),
    ])
    .join('\n');
}
