export { readDeployment, servicesIn } from './deployment.js';
export { deploymentRule } from './findings.js';
export { readPolicy } from './policy.js';
export { forecastView, pairsView, servicesView } from './views.js';
