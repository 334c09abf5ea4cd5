import type { IssueResult, Smoke } from '../authority/index.js';

/** At a terminal nobody waits for more handshakes than this without having asked. */
const AT_A_TERMINAL = 10;

/**
 * Handshakes with what was issued, by the names of the services: where they are wanted, or at a terminal. A service without
 * a key here has none. Rejects with SMOKE_FAILED.
 */
export async function smokeTests(
  issued: readonly IssueResult[],
  wanted: boolean | undefined,
  keyPassphrase?: string,
): Promise<ReadonlyMap<string, Smoke>> {
  const found = new Map<string, Smoke>();
  const isMade = wanted ?? (process.stdout.isTTY === true && issued.length <= AT_A_TERMINAL);
  if (!isMade) return found;
  const { smoke } = await import('../authority/issue/smoke.js');
  for (const { entry, paths, keyless } of issued) if (!keyless) found.set(entry.name, await smoke(paths, keyPassphrase));
  return found;
}
