/** `<service>.<namespace>.svc` and what may follow, in its parts; undefined for other names. A wildcard may be a part. */
export function serviceNameOf(dns: string): { readonly service: string; readonly namespace: string; readonly domain: string } | undefined {
  const match = dns.length <= 253 ? /^([^.]+)\.([^.]+)\.svc(\.[^.].*)?$/i.exec(dns) : null;
  return match === null ? undefined : { service: match[1]!, namespace: match[2]!, domain: match[3] ?? '' };
}
