export type { SeenLive } from './blockers.js';
export { planRotation } from './plan.js';
export { STEPS, type Step, activateRotation, prepareRotation, retireRotation, standingOf } from './rotate.js';
export { planView, standingView, stepView } from './views.js';
export { type Witness, witnessOf } from './witness.js';
