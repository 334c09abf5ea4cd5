import type { SeenLive, Witness } from '../authority/rotation/index.js';
import { systemClock } from '../base/clock.js';
import type { Certificate } from '../pki/certificate.js';
import type { ProbeOptions, ProbeReport } from '../probe/index.js';
import { MtlsError } from '../errors.js';
import { parseEndpoint } from './endpoints.js';

interface RotateFlags {
  readonly plan: boolean;
  readonly deployed?: readonly string[] | undefined;
  readonly live?: readonly string[] | undefined;
  readonly as?: string | undefined;
  readonly 'key-type'?: string | undefined;
  readonly valid?: string | undefined;
  readonly 'cross-sign': boolean;
}

/** A flag that a step has no use for would be passed over in silence. Throws USAGE. */
export function assertFits(step: string | undefined, flags: RotateFlags): void {
  const refuse = (problem: string): never => {
    throw new MtlsError('USAGE', { problem, hint: 'mtls authority rotate --help' });
  };
  if (flags.plan && step !== undefined) refuse(`--plan simulates all steps that are left: found ${step} beside it`);
  const looks = flags.plan || step === 'activate' || step === 'retire';
  if (flags.deployed !== undefined && !looks) refuse('--deployed is for --plan, activate and retire');
  if (flags.live !== undefined && step !== 'activate' && step !== 'retire') refuse('--live is for activate and retire');
  if (flags.live !== undefined && flags.as === undefined) refuse('--live needs --as: a service of ours as whose client it is asked');
  const isSaid = flags['key-type'] !== undefined || flags.valid !== undefined || !flags['cross-sign'];
  if (isSaid && step !== 'prepare') refuse('--key-type, --valid and --no-cross-sign are for prepare');
}

type Probe = (options: ProbeOptions) => Promise<ProbeReport>;

/** Whom to trust: all that are trusted now, and the one that is to be left. */
interface Roots {
  readonly authorities: readonly Certificate[];
  readonly root: Certificate;
}

/** Shakes hands as `witness` with each endpoint, by the new root and, where that is refused, by what it has now. */
export async function lookLive(
  endpoints: readonly string[],
  witness: Witness,
  { authorities, root }: Roots,
  probe: Probe,
): Promise<SeenLive[]> {
  const seen: SeenLive[] = [];
  for (const endpoint of endpoints) {
    const { host, port, path = '/' } = parseEndpoint(endpoint);
    const ask = (client: Witness['own']) => probe({ host, port, client, authorities, httpPath: path, retries: false, clock: systemClock });
    const report = await ask(witness.fresh);
    const trustsNew = isWelcome(report) ? 'yes' : isWelcome(await ask(witness.own)) ? 'no' : 'untold';
    const alone = await probe({ host, port, authorities: [root], retries: false, clock: systemClock });
    seen.push({ endpoint, trustsNew, isBelowNew: isBelow(alone) });
  }
  return seen;
}

/** The handshake went through, and what was asked then was not forbidden; who asks for no certificate trusts nobody. */
function isWelcome({ diagnosis: { code }, stages }: ProbeReport): boolean {
  if (code === 'MTLS_NOT_REQUESTED') return true;
  return code === 'OK' && stages.every(({ name, status }) => name !== 'application' || status !== 'failed');
}

/** Was its certificate good for who trusts that root alone? */
function isBelow({ stages }: ProbeReport): boolean | undefined {
  const status = stages.find(({ name }) => name === 'server-certificate')?.status;
  return status === undefined || status === 'skipped' ? undefined : status !== 'failed';
}
