import { ipToBytes } from '../../base/bytes.js';
import { MtlsError } from '../../errors.js';
import type { WritableConstraints, WritableSubtree } from '../../pki/name-constraints-write.js';
import { isDnsName } from '../../validate/names.js';

/** What a CA is to be limited to, as it is typed. */
export interface ConstraintOptions {
  /** `shop.test` with all below it, or `.shop.test`, which is only what is below. */
  readonly permitDns?: readonly string[] | undefined;
  readonly excludeDns?: readonly string[] | undefined;
  /** `10.0.0.0/8` or `fd00::/8`; an address alone is that one. */
  readonly permitIp?: readonly string[] | undefined;
  readonly excludeIp?: readonly string[] | undefined;
  /** `spiffe://shop.test`: only the host of a URI can be limited (RFC 5280 §4.2.1.10). */
  readonly permitUri?: readonly string[] | undefined;
  readonly excludeUri?: readonly string[] | undefined;
}

/** Undefined when nothing is limited. Throws VALUE_INVALID. */
export function asConstraints(options: ConstraintOptions): WritableConstraints | undefined {
  const { permitDns = [], permitIp = [], permitUri = [], excludeDns = [], excludeIp = [], excludeUri = [] } = options;
  const permitted = [...permitDns.map(asDnsSubtree), ...permitUri.map(asUriSubtree), ...permitIp.map(asNetwork)];
  const excluded = [...excludeDns.map(asDnsSubtree), ...excludeUri.map(asUriSubtree), ...excludeIp.map(asNetwork)];
  return permitted.length + excluded.length === 0 ? undefined : { permitted, excluded };
}

function asDnsSubtree(text: string): WritableSubtree {
  const base = text.toLowerCase();
  if (isDnsName(base.replace(/^\./, '')) && ipToBytes(base) === undefined) return { kind: 'dns', base };
  throw new MtlsError('VALUE_INVALID', { what: 'DNS constraint', found: text, expected: 'a domain such as shop.test or .shop.test' });
}

function asUriSubtree(text: string): WritableSubtree {
  const [, base = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/]+)\/?$/i.exec(text.toLowerCase()) ?? [];
  if (isDnsName(base.replace(/^\./, '')) && ipToBytes(base) === undefined) return { kind: 'uri', base };
  const expected = 'the host of URIs, such as spiffe://shop.test: a path cannot be limited';
  throw new MtlsError('VALUE_INVALID', { what: 'URI constraint', found: text, expected });
}

function asNetwork(text: string): WritableSubtree {
  const [, host = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = ipToBytes(host);
  const bits = Number(length ?? (bytes?.length ?? 0) * 8);
  if (bytes === undefined || bits > bytes.length * 8)
    throw new MtlsError('VALUE_INVALID', { what: 'IP constraint', found: text, expected: 'a network such as 10.0.0.0/8 or fd00::/8' });
  const mask = Buffer.from(bytes.map((_, i) => (0xff << Math.max(0, 8 - Math.max(0, bits - 8 * i))) & 0xff));
  const address = Buffer.from(bytes.map((octet, i) => octet & mask[i]!));
  if (!address.equals(bytes))
    throw new MtlsError('VALUE_INVALID', { what: 'IP constraint', found: text, expected: 'a network, with nothing behind its prefix' });
  return { kind: 'ip', address, mask };
}
