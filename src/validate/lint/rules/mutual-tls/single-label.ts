import { ONLY_MTLS, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

/** `api` beside `api.shop.svc` is the short form of it, as Kubernetes has them. */
export const singleLabel = certificateRule({
  id: 'SINGLE_LABEL',
  severity: 'notice',
  source: 'CA/Browser Forum BR §4.2.2, SSAC SAC 057',
  profiles: ONLY_MTLS,
  title: 'a name of one label, which is somebody else on the next network',
  check: ({ dns }) => eachOf(dns.singleLabel, (name) => `expected a qualified name, found ${name}, and no longer name that begins with it`),
});
