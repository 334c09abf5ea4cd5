import * as fs from 'node:fs';
import { isError } from '../../errors.js';
import { verifyLedger } from '../ledger/verify-ledger.js';
import type { Examined } from './examined.js';
import { type DoctorFinding, asFinding, found, ours } from './findings.js';

/** The ledger hangs together, and its last line is whole. */
export async function checkLedger({ paths: { ledger, directory } }: Examined): Promise<DoctorFinding[]> {
  try {
    const { bad, lines } = await verifyLedger(ledger);
    if (bad !== null) {
      const restore = `put ${ledger} back from a backup, then: ${ours('audit verify', directory)}`;
      return [found('LEDGER_BROKEN', ledger, `${ledger}: line ${bad.line}: ${bad.problem}`, restore)];
    }
    if (endsInNewline(ledger)) return [];
    const message = `${ledger}: expected a newline behind the last of ${lines} lines, found part of another`;
    return [found('LEDGER_TORN', ledger, message, ours('crl', directory))];
  } catch (error) {
    if (isError(error, 'FILE_NOT_FOUND')) return [{ ...asFinding(ledger, error), remedy: `put ${ledger} back from a backup` }];
    return [asFinding(ledger, error)];
  }
}

function endsInNewline(path: string): boolean {
  const handle = fs.openSync(path, 'r');
  try {
    const last = Buffer.alloc(1);
    const { size } = fs.fstatSync(handle);
    return size === 0 || fs.readSync(handle, last, 0, 1, size - 1) === 0 || last[0] === 0x0a;
  } finally {
    fs.closeSync(handle);
  }
}
