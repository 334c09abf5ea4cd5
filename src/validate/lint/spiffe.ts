import type { Certificate } from '../../pki/certificate.js';

/** The URIs that say that they are SPIFFE IDs; whatever case the scheme has: that is one of the faults. */
export function spiffeUrisOf({ subjectAltName }: Certificate): readonly string[] {
  return subjectAltName.uri.filter((uri) => /^spiffe:/i.test(uri));
}

/** The bounds of SPIFFE-ID §2.3; all that is in a URI is ASCII, so that characters are octets. */
export const isTooLong = (uri: string): boolean =>
  uri.length > 2048 || (uri.length > 255 && (/^spiffe:\/\/([^/?#]*)/i.exec(uri)?.[1] ?? '').length > 255);

/** The path of the one SPIFFE ID; undefined when there is not one, or not one that can be taken apart. */
export function spiffePathOf(uris: readonly string[]): string | undefined {
  return uris.length === 1 ? /^spiffe:\/\/[^/?#]*([^?#]*)/i.exec(uris[0]!)?.[1] : undefined;
}
