import { mark, style } from './style.js';

/** What was written for others to read, in JSON. */
export interface ExportView {
  readonly path: string;
  readonly format: 'pem' | 'der' | 'p12' | 'p7b';
  /** null for the CAs that everybody trusts. */
  readonly name: string | null;
  readonly key: boolean;
  /** Under a passphrase. */
  readonly encrypted: boolean;
  readonly certificates: readonly {
    readonly name: string;
    readonly serial: string;
    readonly notAfter: string;
    readonly sha256: string;
  }[];
  readonly crls: number;
}

export function renderExport({ path, name, key, encrypted, certificates, crls }: ExportView): string {
  const held = [key ? 'the key' : '', counted(certificates.length, 'certificate'), crls === 0 ? '' : counted(crls, 'CRL')];
  const whose = name === null ? 'of the workspace, to be trusted' : `of ${style.strong(name)}`;
  return [
    `${mark.good} ${path}`,
    `  ${held.filter((part) => part !== '').join(' and ')} ${whose}${encrypted ? '; under the passphrase' : ''}`,
    ...certificates.map((certificate) => `  ${style.dim(`${certificate.name}, until ${certificate.notAfter.slice(0, 10)}`)}`),
    ...(key && !encrypted ? [`  ${mark.warn} the key is not encrypted: whoever can read the file has it`] : []),
  ].join('\n');
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
