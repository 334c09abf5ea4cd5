import * as fs from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { DAY } from '../../base/duration.js';
import { CRL_FILE_LIMIT, readFileBounded } from '../../base/files.js';
import type { MtlsError } from '../../errors.js';
import type { Crl } from '../../pki/crl.js';
import { isEncryptedKey } from '../../pki/key.js';
import { crlsIn } from '../../pki/material.js';
import { labelOf } from '../../pki/name.js';
import { Attempts, inRounds } from '../attempts.js';
import { type Ca, everyCaOf, hasKey, openCa } from '../cas/cas.js';
import { type SignedCrl, dueCas, halfOf, refreshDueCrl, standingCrl } from './crl.js';
import type { Watcher } from '../lock.js';
import type { Workspace, WorkspacePaths } from '../workspace.js';

/** What happened to a CRL. */
export type CrlEvent =
  | { readonly event: 'crls'; readonly crls: readonly SignedCrl[] }
  | { readonly event: 'failed'; readonly issuer: string; readonly error: MtlsError }
  | ({ readonly event: 'ending' } & AwayCrl);

/** The CRL of a CA whose key is not here: undefined when there is none that can be read. */
interface AwayCrl {
  readonly issuer: string;
  readonly path: string;
  readonly crl: Crl | undefined;
}

export interface CrlWatchOptions {
  /** Milliseconds for which new CRLs are in force. */
  readonly validity?: number;
  readonly clock: Clock;
  readonly watcher?: Watcher;
  readonly tell: (event: CrlEvent) => void;
}

/** How long before its end a CRL is told of that somebody else must sign, unless half of its time is left then. */
const FETCHING = 30 * DAY;
/** Where the workspace itself stands among the names of its CAs. */
const WORKSPACE = '(workspace)';

/** The keys of CAs that need a passphrase are opened once, while whoever is asked for it is there. Throws what is wrong with them. */
export async function openClosedKeys({ paths, passphrase }: Workspace): Promise<void> {
  const closed = everyCaOf(paths).filter((ca) => hasKey(ca) && isEncryptedKey(readFileBounded(ca.paths.key)));
  for (const ca of closed) await openCa(ca, passphrase);
}

/**
 * Signs a new CRL of each CA whose own is due, until the signal; the trouble of one stops no other. Of a CA whose key is away
 * it is told, once for each CRL, that this one comes to its end.
 */
export async function watchCrls(workspace: Workspace, options: CrlWatchOptions, signal: AbortSignal): Promise<void> {
  const { clock, validity, watcher, tell } = options;
  const { paths } = workspace;
  const attempts = new Attempts(clock, (issuer, error) => tell({ event: 'failed', issuer, error }));
  const told = new Set<string>();
  const sign = async (ca: Ca): Promise<void> => {
    const signed = await refreshDueCrl(workspace, ca, clock, validity, watcher);
    if (signed !== undefined) tell({ event: 'crls', crls: [signed] });
  };
  const round = async (): Promise<void> => {
    for (const ca of dueCas(paths, everyCaOf(paths).filter(hasKey), clock()))
      await attempts.attempt(labelOf(ca.certificate.subject), () => sign(ca));
    for (const away of awayCrls(paths).filter((each) => endingAt(each) <= clock().getTime())) {
      const which = `${away.issuer} ${away.crl?.number ?? ''} ${away.crl?.nextUpdate ?? ''}`;
      if (!told.has(which)) tell({ event: 'ending', ...away });
      told.add(which);
    }
  };
  const dues = (): number[] => [...attempts.nexts, ...duesOf(paths)];
  await inRounds(() => attempts.attempt(WORKSPACE, round), dues, clock, signal);
}

/** When the next CRL is due, CA by CA. */
function duesOf(paths: WorkspacePaths): number[] {
  try {
    const standing = everyCaOf(paths).flatMap((ca) => (hasKey(ca) ? (standingCrl(ca) ?? []) : []));
    return [...standing.map((crl) => halfOf(crl) + 1), ...awayCrls(paths).map(endingAt)];
  } catch {
    return []; // the next round says why
  }
}

function awayCrls(paths: WorkspacePaths): AwayCrl[] {
  const ours = everyCaOf(paths)
    .filter((ca) => !hasKey(ca))
    .map((ca) => ({ issuer: labelOf(ca.certificate.subject), path: ca.paths.crl, crl: standingCrl(ca) }));
  const path = paths.chainCrls;
  const between = fs.existsSync(path) ? crlsIn(readFileBounded(path, CRL_FILE_LIMIT), path) : [];
  return [...ours, ...between.map((crl) => ({ issuer: labelOf(crl.issuer), path, crl }))];
}

function endingAt({ crl }: AwayCrl): number {
  if (crl === undefined) return 0;
  const { thisUpdate, nextUpdate = thisUpdate } = crl;
  return Math.max(halfOf(crl), nextUpdate - FETCHING);
}
