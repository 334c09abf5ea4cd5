/** A value that a log line may carry. Never a key, a passphrase or a request body. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where services that run long say what happens to them. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
}

/** Says nothing. */
export const nullLog: Log = { info: () => {}, warn: () => {} };
