import { serviceNameOf } from '../../kubernetes.js';
import { ONLY_KUBERNETES, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

/** The API server calls webhooks by `<service>.<namespace>.svc`. */
export const kubernetesShortNameMissing = certificateRule({
  id: 'KUBERNETES_SHORT_NAME_MISSING',
  severity: 'warning',
  source: 'Kubernetes: DNS for Services and Pods',
  profiles: ONLY_KUBERNETES,
  title: 'a service by its longest name alone',
  check: ({ certificate: { subjectAltName } }) => {
    const names = new Set(subjectAltName.dns);
    const isAlone = (name: string): boolean => {
      const parts = serviceNameOf(name);
      return parts !== undefined && parts.domain !== '' && !names.has(`${parts.service}.${parts.namespace}.svc`);
    };
    return eachOf(sampleOf(subjectAltName.dns, isAlone), (name) => `expected <service>.<namespace>.svc beside it, found ${name} alone`);
  },
});
