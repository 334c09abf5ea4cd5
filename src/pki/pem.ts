import { MtlsError } from '../errors.js';
import { Base64Decoder } from './base64.js';
import { TAG } from './der.js';

/** One PEM block (RFC 7468): its label and its bytes. `headers` are those of RFC 1421, as old encrypted keys have them. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  readonly headers: readonly string[];
  /** The block as it was written, for OpenSSL. */
  readonly text: string;
}

/** More blocks than any bundle has. */
const BLOCK_LIMIT = 10_000;

/** Is there a PEM block in it? A byte-order mark, text around the blocks and Windows line ends are all right. */
export function isPem(bytes: Buffer): boolean {
  return !looksLikeDer(bytes) && bytes.includes('-----BEGIN ');
}

/**
 * All blocks in a text, in order; text between them is skipped, as OpenSSL does. Throws PEM_MALFORMED for a torn,
 * mislabelled or non-base64 block. Linear in the length of the text; given as octets, it is not copied.
 */
export function readPem(text: string | Buffer): PemBlock[] {
  const blocks: PemBlock[] = [];
  let at = text.indexOf('-----BEGIN ');
  while (at >= 0) {
    const labelEnd = text.indexOf('-----', at + 11);
    const label = labelEnd < 0 ? '' : String(part(text, at + 11, labelEnd));
    if (!/^[A-Z0-9 ]{1,64}$/.test(label)) throw malformed('a BEGIN line is torn');
    const end = `-----END ${label}-----`;
    const endAt = text.indexOf(end, labelEnd);
    if (endAt < 0) throw malformed(`the ${label} block has no END line`);
    const body = part(text, labelEnd + 5, endAt);
    if (body.includes('-----')) throw malformed(`the ${label} block has no END line`);
    const { headers, base64 } = split(body);
    const der = decode(typeof base64 === 'string' ? Buffer.from(base64) : base64);
    if (der === undefined) throw malformed(`the ${label} block is not base64`);
    if (blocks.length === BLOCK_LIMIT) throw malformed(`more than ${BLOCK_LIMIT} blocks`);
    const whole = part(text, at, endAt + end.length);
    blocks.push({
      ...{ label, headers, der },
      get text() {
        return typeof whole === 'string' ? whole : whole.toString('latin1');
      },
    });
    at = text.indexOf('-----BEGIN ', endAt + end.length);
  }
  return blocks;
}

/** Without a copy. */
const part = (text: string | Buffer, start: number, end: number): string | Buffer =>
  typeof text === 'string' ? text.slice(start, end) : text.subarray(start, end);

/** One block, base64 in lines of 64, ending in a newline. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

/** Could these bytes be DER: a SEQUENCE whose length is that of the file? Such a file is DER, whatever text its values hold. */
export function looksLikeDer(bytes: Buffer): boolean {
  if (bytes.length < 2 || bytes[0] !== TAG.sequence) return false;
  const octets = bytes[1]! - 0x80;
  if (octets < 0) return bytes.length === 2 + bytes[1]!;
  return octets >= 1 && octets <= 4 && bytes.length > 2 + octets && bytes.length === 2 + octets + bytes.readUIntBE(2, octets);
}

function split(body: string | Buffer): { readonly headers: string[]; readonly base64: string | Buffer } {
  if (!body.includes(':')) return { headers: [], base64: body };
  const lines = body.toString('latin1').split(/\r?\n/);
  const firstOfBody = lines.findIndex((line, i) => i > 0 && line.trim() === '');
  const headers = lines.slice(0, firstOfBody < 0 ? lines.length : firstOfBody).filter((line) => line.trim() !== '');
  return { headers, base64: firstOfBody < 0 ? '' : lines.slice(firstOfBody).join('\n') };
}

/** The octets of base64 between blanks; undefined when it is anything else, or nothing. */
function decode(base64: Buffer): Buffer | undefined {
  // the decoder wants room for three where it writes one
  const octets = Buffer.allocUnsafe(Math.ceil(base64.length / 4) * 3 + 3);
  const decoder = new Base64Decoder();
  const { read, written } = decoder.decode(base64, octets);
  const rest = read === base64.length ? decoder.end(octets, written) : undefined;
  return rest === undefined ? undefined : octets.subarray(0, written + rest);
}

const malformed = (problem: string): MtlsError => new MtlsError('PEM_MALFORMED', { problem });
