/** One service as its files are named; all stand in one directory. */
export interface ServiceLayout {
  /** What tells it apart from others in its directory; undefined when the names are those of the only one. */
  readonly stem: string | undefined;
  readonly certificate: string;
  readonly key: string;
  /** What is sent behind the certificate, where that is a file of its own. */
  readonly chain: string | undefined;
}

/** What a directory holds, by the names of its files. */
export interface Layout {
  readonly services: readonly ServiceLayout[];
  readonly bundle: string | undefined;
  readonly crls: readonly string[];
}

/**
 * Names that say what a file is, whatever else there is: half of such a pair is a service whose other half is missing.
 * Kubernetes and cert-manager; certbot; Istio; spiffe-helper; what Go and Node examples have. The first that is there
 * holds: certbot keeps `cert.pem` beside `fullchain.pem`.
 */
const FIXED = [
  { certificate: 'tls.crt', key: 'tls.key' },
  { certificate: 'fullchain.pem', key: 'privkey.pem' },
  { certificate: 'svid.pem', key: 'svid_key.pem' },
  { certificate: 'cert.pem', key: 'key.pem' },
  { certificate: 'cert-chain.pem', key: 'key.pem' },
  { certificate: 'cert.pem', key: 'privkey.pem' },
] as const;

/** `api.crt` and `api.key`: both must be there, for one alone could be anything. */
const CERTIFICATE_ENDINGS = ['.crt', '.cer', '.pem'] as const;
const KEY_ENDINGS = ['.key', '-key.pem', '.key.pem'] as const;

/** The first that is there is the bundle. */
const BUNDLES = [
  ...['ca.crt', 'ca.pem', 'root-cert.pem', 'svid_bundle.pem', 'ca-bundle.crt', 'ca-bundle.pem', 'bundle.pem', 'bundle.crt'],
  ...['ca-certificates.crt', 'cacert.pem', 'trust-bundle.pem', 'root.crt', 'root.pem'],
] as const;

const CHAINS = ['chain.pem', 'chain.crt'] as const;

const isCrl = (name: string): boolean => /(?:\.crl|\.crl\.pem|^crl\.pem)$/.test(name);

/** Which file is what, by the names in a directory. */
export function layoutOf(names: readonly string[]): Layout {
  const present = new Set(names);
  const has = (name: string): boolean => present.has(name);
  const fixed =
    FIXED.find(({ certificate, key }) => has(certificate) && has(key)) ??
    FIXED.find(({ certificate, key }) => has(certificate) || has(key));
  const services: ServiceLayout[] = [];
  const taken = new Set<string>([...BUNDLES, ...CHAINS, ...FIXED.flatMap(({ certificate, key }) => [certificate, key])]);
  if (fixed !== undefined)
    services.push({ stem: undefined, ...fixed, chain: fixed.certificate === 'cert.pem' ? CHAINS.find(has) : undefined });
  for (const certificate of [...present].sort()) {
    const ending = CERTIFICATE_ENDINGS.find((each) => certificate.endsWith(each));
    if (ending === undefined || taken.has(certificate) || isCrl(certificate)) continue;
    const stem = certificate.slice(0, -ending.length);
    const key = KEY_ENDINGS.map((each) => `${stem}${each}`).find((name) => name !== certificate && has(name));
    if (stem === '' || key === undefined || services.some((service) => service.stem === stem)) continue;
    services.push({ stem, certificate, key, chain: undefined });
  }
  return { services, bundle: BUNDLES.find(has), crls: names.filter(isCrl).sort() };
}
