import { MtlsError } from '../errors.js';
import type { Inspected } from '../pki/inspect.js';
import type * as Probe from '../probe/index.js';
import type { ShownEndpoint } from '../render/inspect.js';
import { clientOf } from './client.js';
import { parseEndpoint } from './endpoints.js';
import { given } from '../base/given.js';
import { withProgress } from './output.js';

/** Who goes to a server to look at its certificates, and how. */
interface VisitorFlags extends Omit<Parameters<typeof clientOf>[0], 'ca' | 'crl'> {
  readonly servername?: string | undefined;
  readonly starttls?: string | undefined;
}

/** What a server showed. What was sent and cannot be read stands beside what can. */
interface Visit {
  readonly endpoint: ShownEndpoint;
  readonly items: readonly Inspected[];
  readonly malformed: readonly MtlsError[];
}

/** Throws USAGE for what only a server could be told. */
export function assertNoVisitor(flags: Omit<VisitorFlags, 'passphrase'>): void {
  const flag = (['as', 'cert', 'key', 'servername', 'starttls'] as const).find((name) => flags[name] !== undefined);
  if (flag !== undefined) throw new MtlsError('USAGE', { problem: `--${flag} is for HOST:PORT, and there is none here` });
}

/** Goes to servers as whom the flags say. Throws what `clientOf` and `inspectEndpoint` throw. */
export async function visitorOf(flags: VisitorFlags, probe: typeof Probe): Promise<(source: string) => Promise<Visit>> {
  const starttls = flags.starttls === undefined ? undefined : protocolOf(flags.starttls, probe.STARTTLS_PROTOCOLS);
  const { client } = await clientOf(flags);
  const options = given({ client, servername: flags.servername, starttls });
  return async (source) => {
    const { host, port } = parseEndpoint(source);
    const seen = await withProgress(`connecting to ${source}`, () => probe.inspectEndpoint(host, port, options));
    const { version, cipher, group = null, acceptedAuthorities = null } = seen;
    const { sent = null, problem = null } = seen.client;
    return {
      endpoint: { source, version, cipher, group, acceptedAuthorities, client: { sent, problem } },
      items: seen.chain.flatMap((one): Inspected[] =>
        'certificate' in one ? [{ source, kind: 'certificate', value: one.certificate }] : [],
      ),
      malformed: seen.chain.flatMap((one) =>
        'problem' in one ? [new MtlsError('CERTIFICATE_MALFORMED', { problem: `${one.problem}, sent by ${source}` })] : [],
      ),
    };
  };
}

function protocolOf(text: string, protocols: readonly Probe.StarttlsProtocol[]): Probe.StarttlsProtocol {
  const found = protocols.find((protocol) => protocol === text);
  if (found !== undefined) return found;
  throw new MtlsError('VALUE_INVALID', { what: '--starttls', found: text, expected: protocols.join(', ') });
}
