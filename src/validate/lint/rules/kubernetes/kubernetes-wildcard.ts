import { ONLY_KUBERNETES, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

export const kubernetesWildcard = certificateRule({
  id: 'KUBERNETES_WILDCARD',
  severity: 'error',
  source: 'Kubernetes: DNS for Services and Pods, RFC 9525 §6.3',
  profiles: ONLY_KUBERNETES,
  title: 'a wildcard in the place of a namespace',
  check: ({ certificate: { subjectAltName } }) =>
    eachOf(
      sampleOf(subjectAltName.dns, (name) => /^\*\.svc(\.|$)/i.test(name)),
      (name) => `expected <service>.<namespace>.svc, found ${name}, which matches no service or all namespaces`,
    ),
});
