import { MtlsError } from '../errors.js';
import { RECORD } from './codepoints.js';

/** One record as it stood on the wire: five octets of header, and the fragment. */
export interface TlsRecord {
  readonly type: number;
  readonly header: Buffer;
  readonly fragment: Buffer;
}

/** One handshake message, reassembled. */
export interface HandshakeMessage {
  readonly type: number;
  readonly body: Buffer;
}

/** A TLS 1.2 ciphertext may have 2^14 + 2048 octets (RFC 5246 §6.2.3); TLS 1.3 allows less. */
const FRAGMENT_LIMIT = 16_384 + 2_048;
/** More than any honest Certificate or CertificateRequest has. */
const MESSAGE_LIMIT = 262_144;

/** Do these first octets of a stream look like a TLS record? Alerts and handshakes of SSL 3.0 to TLS 1.3 begin a stream; nothing else does. */
export function looksLikeTls(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  return (bytes[0] === RECORD.handshake || bytes[0] === RECORD.alert) && (bytes[1] ?? 3) === 3 && (bytes[2] ?? 0) <= 4;
}

/**
 * Cuts one direction of a connection into records, however the network cut it (RFC 8446 §5.1). Throws TLS_MALFORMED
 * for what is no record header, or announces more than a record may hold.
 *
 *     type (1) | version (2) | length (2) | fragment
 */
export class RecordCutter {
  #pending: Buffer = Buffer.alloc(0);

  *feed(bytes: Buffer): Generator<TlsRecord> {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= 5) {
      const header = this.#pending.subarray(0, 5);
      const [type, length] = [header[0]!, header.readUInt16BE(3)];
      if (type < RECORD.changeCipherSpec || type > RECORD.applicationData || header[1] !== 3) throw malformed('not a record header');
      if (length > FRAGMENT_LIMIT) throw malformed(`a record of ${length} octets, expected at most ${FRAGMENT_LIMIT}`);
      if (this.#pending.length < 5 + length) return;
      const fragment = this.#pending.subarray(5, 5 + length);
      this.#pending = this.#pending.subarray(5 + length);
      yield { type, header, fragment };
    }
  }
}

/**
 * Joins the fragments of one direction to handshake messages. Throws TLS_MALFORMED for a message that announces more
 * than any has.
 *
 *     type (1) | length (3) | body
 */
export class MessageJoiner {
  #parts: Buffer[] = [];
  #size = 0;

  *feed(fragment: Buffer): Generator<HandshakeMessage> {
    this.#parts.push(fragment);
    this.#size += fragment.length;
    while (this.#size >= 4) {
      // joined only when a whole message is there: fragments of one octet cost no more than long ones
      const head = this.#parts[0]!.length >= 4 ? this.#parts[0]! : this.#join();
      const length = head.readUIntBE(1, 3);
      if (length > MESSAGE_LIMIT) throw malformed(`a handshake message of ${length} octets, expected at most ${MESSAGE_LIMIT}`);
      if (this.#size < 4 + length) return;
      const all = this.#join();
      this.#parts = [all.subarray(4 + length)];
      this.#size -= 4 + length;
      yield { type: all[0]!, body: all.subarray(4, 4 + length) };
    }
  }

  #join(): Buffer {
    const all = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#size);
    this.#parts = [all];
    return all;
  }
}

const malformed = (problem: string): MtlsError => new MtlsError('TLS_MALFORMED', { what: 'record layer', problem, offset: 0 });
