import { valuesOf } from '../../../../pki/name.js';
import { OID } from '../../../../pki/oids.js';
import { ONLY_KUBERNETES, certificateRule } from '../../rule.js';

export const kubernetesSystemMasters = certificateRule({
  id: 'KUBERNETES_SYSTEM_MASTERS',
  severity: 'warning',
  source: 'Kubernetes: RBAC good practices',
  profiles: ONLY_KUBERNETES,
  title: 'of the group system:masters, which no policy holds',
  check: ({ certificate: { subject } }) =>
    valuesOf(subject, OID.organizationName).includes('system:masters')
      ? ['expected a group that RBAC gives its rights, found system:masters: it passes every check, and only a new CA takes it back']
      : [],
});
