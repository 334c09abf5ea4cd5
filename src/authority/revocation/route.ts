import type { IncomingHttpHeaders } from 'node:http';
import type { LogFields } from '../../base/log.js';

/** A request, as far as it is looked at. */
export interface Asked {
  readonly method: string;
  /** As it was sent, percent signs and all. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly now: Date;
  /** The body; undefined when it has more octets than that. */
  readonly body: (limit: number) => Promise<Buffer | undefined>;
}

/** What is answered, and what the log says of it. */
export interface Reply {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly about: LogFields;
}

/** What a server answers with. */
export type Route = (asked: Asked) => Promise<Reply>;

/** A short answer in plain text. */
export const plain = (status: number, text: string, fields: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  fields: { 'Content-Type': 'text/plain; charset=utf-8', ...fields },
  body: Buffer.from(`${text}\n`),
  about: {},
});
