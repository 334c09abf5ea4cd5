import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Workspace } from '../../authority/index.js';
import * as rotation from '../../authority/rotation/index.js';
import { systemClock } from '../../base/clock.js';
import { parseDuration } from '../../base/duration.js';
import { given } from '../../base/given.js';
import { BaseCommand } from '../../cli/base-command.js';
import { listFlag } from '../../cli/flags.js';
import { type Outcome, verdict } from '../../cli/outcome.js';
import { withProgress } from '../../cli/output.js';
import { assertFits, lookLive } from '../../cli/rotating.js';
import { authorityFlags, openAuthority } from '../../cli/workspace.js';
import { KEY_TYPES } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import { probe } from '../../probe/index.js';
import { renderPlan, renderStanding, renderStep } from '../../render/rotation.js';
import { readPolicy } from '../../validate/deployment/index.js';

export default class AuthorityRotate extends BaseCommand {
  static override readonly summary = 'put a new root in the place of the old one, step by step, while everything runs';
  static override readonly description =
    'prepare makes the next root and tells everybody here to trust both (cancel gives it up again); activate has it sign; retire trusts it alone and removes the old key. Each step is refused, with all that is in its way, until it breaks nothing: services that do not trust the new root, certificates of the old one that are still alive. The new root keeps the name of the old one and has a new key, which the old one certifies, so that peers who know only the old root accept new certificates until then. Without a step it says where the rotation stands.';
  static override readonly examples = [
    { description: 'what would break, and at which step', command: '<%= config.bin %> authority rotate --plan --deployed /srv/certs' },
    { description: 'first: a new root, trusted beside the old one', command: '<%= config.bin %> authority rotate prepare' },
    {
      description: 'then, once everybody has bundle.pem: it signs',
      command: '<%= config.bin %> authority rotate activate --deployed /srv/certs --live shop.test:8443 --as web',
    },
    { description: 'every service gets a certificate of it', command: '<%= config.bin %> renew --all --revoke-old' },
    { description: 'last: the old one is trusted no more', command: '<%= config.bin %> authority rotate retire' },
  ];
  static override readonly args = {
    STEP: Args.string({ ignoreStdin: true, options: [...rotation.STEPS], description: 'what is to be done next' }),
  };
  static override readonly flags = {
    ...authorityFlags,
    plan: Flags.boolean({ summary: 'simulate the steps that are left, and change nothing' }),
    deployed: listFlag('a directory of services elsewhere, which must trust the new root', 'DIR'),
    live: listFlag('a service that runs and must trust it; needs --as', 'HOST:PORT'),
    as: Flags.string({ summary: 'the service as whose client --live is asked', helpValue: 'NAME', dependsOn: ['live'] }),
    links: Flags.string({
      summary: 'with --plan: who is meant to talk to whom, as verify --links takes it',
      helpValue: 'FILE',
      dependsOn: ['plan'],
    }),
    'key-type': Flags.option({ options: KEY_TYPES, summary: 'with prepare: the key of the new root [default: as the old one]' })(),
    valid: Flags.string({ summary: 'with prepare: its life [default: as long as the old one]', helpValue: '3650d' }),
    'cross-sign': Flags.boolean({ summary: 'with prepare: have the old root certify the new one', default: true, allowNo: true }),
  };

  protected override async execute(): Promise<Outcome> {
    const { args, flags } = await this.parse(AuthorityRotate);
    const workspace = openAuthority(flags);
    const { bundle } = workspace.paths;
    const { deployed = [], links, live = [] } = flags;
    assertFits(args.STEP, flags);
    if (flags.plan) {
      const options = {
        deployed,
        ...(links === undefined ? {} : { policyOf: (all: Parameters<typeof readPolicy>[1]) => readPolicy(links, all) }),
      };
      const plan = rotation.planView(await rotation.planRotation(workspace, options, systemClock()));
      return {
        result: plan,
        text: () => renderPlan(plan),
        exitCode: verdict(plan.unmatched.length === 0 && plan.steps.every(({ broken, blockers }) => broken.length + blockers.length === 0)),
      };
    }
    if (args.STEP === undefined) {
      const standing = rotation.standingView(rotation.standingOf(workspace), bundle);
      return { result: standing, text: () => renderStanding(standing) };
    }
    const step = args.STEP as rotation.Step;
    const seen = live.length === 0 ? [] : await look(workspace, live, flags.as!);
    const result = await withProgress('rotating', (tell) => {
      if (step === 'prepare') {
        const validity = flags.valid === undefined ? undefined : parseDuration(flags.valid, '--valid');
        const options = { crossSign: flags['cross-sign'], ...given({ keyType: flags['key-type'], validity }) };
        return rotation.prepareRotation(workspace, options, systemClock, { tell });
      }
      if (step === 'cancel') return rotation.cancelRotation(workspace, systemClock, { tell });
      const take = step === 'activate' ? rotation.activateRotation : rotation.retireRotation;
      return take(workspace, { deployed, live: seen }, systemClock, { tell });
    });
    const view = rotation.stepView(result, bundle);
    return { result: view, text: () => renderStep(view), exitCode: verdict(view.done && view.failed.length === 0) };
  }
}

const look = async (workspace: Workspace, live: readonly string[], as: string) => {
  const witness = await rotation.witnessOf(workspace, as, systemClock);
  const root = rotation.standingOf(workspace).current.certificate;
  return lookLive(live, witness, { authorities: readCertificates(workspace.paths.bundle), root }, probe);
};
