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
  if (flags.live !== undefined && (step === undefined || step === 'prepare')) refuse('--live is for activate and retire');
  if (flags.live !== undefined && flags.as === undefined) refuse('--live needs --as: a service of ours as whose client it is asked');
  const isSaid = flags['key-type'] !== undefined || flags.valid !== undefined || !flags['cross-sign'];
  if (isSaid && step !== 'prepare') refuse('--key-type, --valid and --no-cross-sign are for prepare');
}

type Probe = (options: ProbeOptions) => Promise<ProbeReport>;

/** Shakes hands as `witness` with each endpoint, by the new root and, where that is refused, by what it has now. */
export async function lookLive(
  endpoints: readonly string[],
  witness: Witness,
  authorities: readonly Certificate[],
  probe: Probe,
): Promise<SeenLive[]> {
  const seen: SeenLive[] = [];
  for (const endpoint of endpoints) {
    const { host, port, path = '/' } = parseEndpoint(endpoint);
    const ask = (client: Witness['own']) => probe({ host, port, client, authorities, httpPath: path, retries: false, clock: systemClock });
    const report = await ask(witness.fresh);
    const trustsNew = isWelcome(report) ? 'yes' : isWelcome(await ask(witness.own)) ? 'no' : 'untold';
    seen.push({ endpoint, trustsNew, serial: serialIn(report) });
  }
  return seen;
}

/** The handshake went through, and what was asked then was not forbidden; who asks for no certificate trusts nobody. */
function isWelcome({ diagnosis: { code }, stages }: ProbeReport): boolean {
  if (code === 'MTLS_NOT_REQUESTED') return true;
  return code === 'OK' && stages.every(({ name, status }) => name !== 'application' || status !== 'failed');
}

function serialIn({ handshake: { serverChain } }: ProbeReport): string | undefined {
  const [own] = serverChain;
  return own !== undefined && 'serial' in own ? own.serial : undefined;
}
