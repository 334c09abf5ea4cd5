import { DAY } from '../../base/duration.js';
import { writeFileAtomic } from '../../base/files.js';
import { serialText } from '../../pki/fields.js';
import type { Certificate } from '../../pki/certificate.js';

/** What node_exporter's textfile collector is told. */
export interface RenewMetrics {
  readonly certificates: readonly { readonly service: string; readonly namespace: string; readonly certificate: Certificate }[];
  readonly now: Date;
  /** When a round last went without a failure. */
  readonly lastSuccess: Date | undefined;
  readonly failures: number;
}

/** Writes the file as a whole, as the collector wants it. Throws DISK_FULL or FILE_NOT_WRITABLE. */
export const writeMetrics = (path: string, metrics: RenewMetrics): void => writeFileAtomic(path, renewMetrics(metrics));

/** Prometheus's text format, version 0.0.4. */
function renewMetrics({ certificates, now, lastSuccess, failures }: RenewMetrics): string {
  const each = (value: (certificate: Certificate) => number): string[] =>
    certificates.map(({ service, namespace, certificate }) => {
      const labels = Object.entries({ service, namespace, serial: serialText(certificate.serial) });
      return `{${labels.map(([name, text]) => `${name}="${escaped(text)}"`).join(',')}} ${value(certificate)}`;
    });
  return [
    ...family(
      'mtls_certificate_expiry_seconds',
      'gauge',
      'When the certificate of a service ends, in seconds since 1970.',
      each((c) => c.notAfter / 1000),
    ),
    ...family(
      'mtls_certificate_days_left',
      'gauge',
      'Days until the certificate of a service ends.',
      each((c) => (c.notAfter - now.getTime()) / DAY),
    ),
    ...family(
      'mtls_renew_last_success_timestamp_seconds',
      'gauge',
      'When the last round of renewals ended without a failure.',
      lastSuccess === undefined ? [] : [` ${lastSuccess.getTime() / 1000}`],
    ),
    ...family('mtls_renew_failures_total', 'counter', 'Renewals and hooks that failed since this process began.', [` ${failures}`]),
    '',
  ].join('\n');
}

const family = (name: string, type: 'gauge' | 'counter', help: string, samples: readonly string[]): string[] =>
  samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`)];

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
