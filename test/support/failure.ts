import assert from 'node:assert/strict';
import { type ErrorCode, type MtlsError, isError } from '../../src/errors.js';

/** The error that `act` must fail with, of that code and message. */
export async function failure<Code extends ErrorCode>(code: Code, act: () => unknown, message = /./): Promise<MtlsError<Code>> {
  let thrown: unknown;
  // an async function, so that what is thrown at once counts as well
  await assert.rejects(
    async () => act(),
    (error) => {
      thrown = error;
      return true;
    },
  );
  assert.ok(isError(thrown, code), String(thrown));
  assert.match(thrown.message, message);
  return thrown;
}
