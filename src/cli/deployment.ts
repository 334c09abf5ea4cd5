import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { MtlsError } from '../errors.js';
import { isoTime } from '../pki/fields.js';
import { given } from '../base/given.js';
import { instantOf } from './instant.js';
import { type Outcome, verdict } from './outcome.js';

/** The flags of `verify` that are about a tree of deployed services. */
export const deploymentFlags = {
  dir: Flags.string({
    summary: 'every service below: its key, certificate, chain, CAs and CRLs',
    helpValue: 'DIR',
    exclusive: [...['ca', 'intermediates', 'crl', 'ocsp', 'crl-soft', 'purpose', 'host', 'ip', 'uri', 'policy'], ...['explain', 'batch']],
  }),
  pairs: Flags.boolean({ summary: 'with --dir: who of them could talk to whom, and why not', dependsOn: ['dir'] }),
  links: Flags.string({
    summary: 'with --dir: who is meant to talk to whom: lines CLIENT -> SERVER, * for a segment',
    helpValue: 'FILE',
    dependsOn: ['dir'],
  }),
  forecast: Flags.string({ summary: 'with --dir: what ends within this time, and takes what down', helpValue: '90d', dependsOn: ['dir'] }),
};

interface DeploymentQuestion {
  readonly dir: string;
  readonly pairs?: boolean | undefined;
  readonly links?: string | undefined;
  readonly forecast?: string | undefined;
  readonly at?: string | undefined;
}

/** `verify --dir`: every service by its own files; with `--pairs` and `--forecast`, each against each other, now and later. */
export async function verifyDeployment(flags: DeploymentQuestion, files: readonly unknown[] = []): Promise<Outcome> {
  if (files.length > 0) throw new MtlsError('USAGE', { problem: `--dir takes no files beside it: found ${String(files[0])}` });
  const at = flags.at === undefined ? systemClock() : instantOf(flags.at, '--at');
  const within = flags.forecast === undefined ? undefined : parseDuration(flags.forecast, '--forecast');
  // whoever verifies a file does not wait for these
  const { deploymentRule, forecastView, pairsView, readDeployment, readPolicy, servicesIn, servicesView } =
    await import('../validate/deployment/index.js');
  const { deploymentReport, renderDeployment } = await import('../render/deployment.js');
  const deployment = readDeployment(flags.dir, at);
  const policy = flags.links === undefined ? undefined : readPolicy(flags.links, servicesIn(deployment));
  const services = servicesView(deployment);
  const findings = [...deployment.findings, ...(policy?.findings ?? [])];
  const talk = flags.pairs === true ? pairsView(deployment, policy) : undefined;
  const forecast = within === undefined ? undefined : { within: flags.forecast!, ...forecastView(deployment, { within, policy }) };
  const good =
    findings.length === 0 &&
    services.every((service) => service.good) &&
    (talk?.counts.refused ?? 0) === 0 &&
    (forecast?.endings ?? []).every((ending) => ending.services.length === 0 && ending.links === 0);
  const result = { good, at: isoTime(at), directory: flags.dir, services, findings, ...given({ ...talk, forecast }) };
  return {
    result,
    text: () => renderDeployment(result),
    report: () => deploymentReport(result, deploymentRule),
    exitCode: verdict(good),
  };
}
