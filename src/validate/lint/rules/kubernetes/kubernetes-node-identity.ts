import { valuesOf } from '../../../../pki/name.js';
import { OID } from '../../../../pki/oids.js';
import { ONLY_KUBERNETES, certificateRule } from '../../rule.js';

export const kubernetesNodeIdentity = certificateRule({
  id: 'KUBERNETES_NODE_IDENTITY',
  severity: 'error',
  source: 'Kubernetes: Using Node Authorization',
  profiles: ONLY_KUBERNETES,
  title: 'of the group system:nodes without the name of a node, or the name without the group',
  check: ({ certificate: { subject }, isLeaf }) => {
    const isNode = valuesOf(subject, OID.commonName).some((name) => name.startsWith('system:node:'));
    const isInGroup = valuesOf(subject, OID.organizationName).includes('system:nodes');
    if (!isLeaf || isNode === isInGroup) return [];
    return [`expected O=system:nodes and CN=system:node:<name> together, found ${isNode ? 'only the name' : 'only the group'}`];
  },
});
