import { valuesOf } from '../../../../pki/name.js';
import { OID } from '../../../../pki/oids.js';
import { ONLY_KUBERNETES, certificateRule } from '../../rule.js';

export const kubernetesUserMissing = certificateRule({
  id: 'KUBERNETES_USER_MISSING',
  severity: 'warning',
  source: 'Kubernetes: Authenticating, X.509 client certificates',
  profiles: ONLY_KUBERNETES,
  title: 'for clients only, and no common name: the API server sees no user',
  check: ({ certificate: { subject, extendedKeyUsage = [] }, isLeaf }) =>
    isLeaf &&
    extendedKeyUsage.includes(OID.clientAuth) &&
    !extendedKeyUsage.includes(OID.serverAuth) &&
    valuesOf(subject, OID.commonName).length === 0
      ? ['expected a common name, which is the user, found none']
      : [],
});
