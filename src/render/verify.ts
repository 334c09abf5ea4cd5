import { mark, style } from './style.js';

interface Verified {
  readonly at: string;
  readonly certificates: readonly {
    readonly file: string;
    readonly valid: boolean;
    readonly errors: readonly { readonly code: string; readonly message: string }[];
    readonly path: readonly string[];
  }[];
}

/** Each certificate: good by which path, or every reason why not. */
export function renderVerified({ certificates }: Verified): string {
  return certificates
    .flatMap(({ file, valid, errors, path }) => [
      `${valid ? mark.good : mark.bad} ${style.strong(file)} is ${valid ? 'good' : 'not good'}: ${path.join(` ${mark.from} `)}`,
      ...errors.map(({ code, message }) => `  ${style.bad(code)}  ${message}`),
    ])
    .join('\n');
}
