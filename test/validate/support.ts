import assert from 'node:assert/strict';
import type { Certificate } from '../../src/pki/certificate.js';
import type { Signer } from '../../src/pki/sign.js';
import type { Verdict, VerifyRequest } from '../../src/validate/request.js';
import { verify } from '../../src/validate/verify.js';
import { AT } from '../support/chains.js';

export const certificates = (signers: readonly Signer[]): Certificate[] => signers.map(({ certificate }) => certificate);

export function ask(leaf: Signer, intermediates: readonly Signer[], roots: readonly Signer[], more: Partial<VerifyRequest> = {}): Verdict {
  const path = { leaf: leaf.certificate, intermediates: certificates(intermediates), roots: certificates(roots) };
  return verify({ ...path, crls: [], at: AT, ...more });
}

export const codes = ({ errors }: Verdict): string[] => errors.map(({ code }) => code);
export const serials = (path: readonly Certificate[]): string[] => path.map(({ serial }) => serial);

/** Good, by this path. */
export function isGood(verdict: Verdict, ...path: readonly Signer[]): void {
  assert.deepEqual(verdict.errors, []);
  assert.equal(verdict.valid, true);
  if (path.length > 0) assert.deepEqual(serials(verdict.path), serials(certificates(path)));
}

export function isBad(verdict: Verdict, ...expected: readonly string[]): void {
  assert.deepEqual(codes(verdict), expected);
  assert.equal(verdict.valid, false);
}
