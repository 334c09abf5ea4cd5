import { serviceNameOf } from '../../kubernetes.js';
import { ONLY_KUBERNETES, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

export const kubernetesServiceForm = certificateRule({
  id: 'KUBERNETES_SERVICE_FORM',
  severity: 'error',
  source: 'Kubernetes: Services, RFC 1035 §2.3.1',
  profiles: ONLY_KUBERNETES,
  title: 'a service or namespace that is no DNS label of Kubernetes',
  check: ({ certificate: { subjectAltName } }) =>
    eachOf(
      sampleOf(subjectAltName.dns, isMalformed),
      (name) => `expected <service>.<namespace>.svc with labels of a-z 0-9 -, found ${name}`,
    ),
});

const LABEL = /^(?:[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;
const NAMESPACE = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;

function isMalformed(name: string): boolean {
  const parts = serviceNameOf(name);
  if (parts === undefined || name.includes('*')) return false;
  // a pod of a headless service has a label more, and so is no service name here
  return !LABEL.test(parts.service) || !NAMESPACE.test(parts.namespace);
}
