import { isoTime, serialText } from '../../pki/fields.js';
import { labelOf } from '../../pki/name.js';
import { type Ca, caId } from '../cas/cas.js';
import { BLOCKERS, type Blocker } from './blockers.js';
import type { RotationPlan } from './plan.js';
import type { Standing, StepResult } from './rotate.js';

/** The JSON of a rotation: what `--json` prints, and what text is a view of. */

const rootView = ({ certificate, paths }: Ca) => ({
  name: labelOf(certificate.subject),
  key: caId(certificate),
  serial: serialText(certificate.serial),
  notAfter: isoTime(certificate.notAfter),
  certificate: paths.certificate,
});

export const standingView = ({ state, current, other, isUnfinished }: Standing, bundle: string) => ({
  state,
  unfinished: isUnfinished,
  signs: rootView(current),
  trustedToo: other === undefined ? null : rootView(other),
  bundle,
});

const blockerView = (blocker: Blocker) => ({ ...blocker, meaning: BLOCKERS[blocker.code] });

export const stepView = ({ step, standing, blockers, spread, isCrossSigned }: StepResult, bundle: string) => ({
  step,
  done: blockers.length === 0,
  ...standingView(standing, bundle),
  crossSigned: isCrossSigned,
  blockers: blockers.map(blockerView),
  services: spread?.updated ?? [],
  failed: spread?.failed ?? [],
});

export const planView = ({ steps, services, edges, broken, blockers, unmatched, isCrossSigned }: RotationPlan) => ({
  steps: steps.map((step) => ({
    step,
    blockers: step === 'activate' ? blockers.map(blockerView) : [],
    broken: broken
      .filter((edge) => edge.step === step)
      .map(({ client, server, refusal }) => ({
        ...{ client: client.name, server: server.name },
        by: refusal!.by === 'client' ? client.name : server.name,
        ...{ code: refusal!.reason.code, message: refusal!.reason.message },
        bundle: (refusal!.by === 'client' ? client : server).files.bundle,
      })),
  })),
  services: services.map(({ name, files }) => ({ name, bundle: files.bundle })),
  edges,
  unmatched: unmatched.map(({ code, message, file }) => ({ code, message, file })),
  crossSigned: isCrossSigned,
});
