export type { SeenLive } from './blockers.js';
export { planRotation } from './plan.js';
export { prepareRotation } from './prepare.js';
export { STEPS, type Step, activateRotation, cancelRotation, retireRotation, standingOf } from './rotate.js';
export { planView, standingView, stepView } from './views.js';
export { type Witness, witnessOf } from './witness.js';
