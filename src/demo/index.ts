export { type DemoReport, runDemo } from './demo.js';
export type { Refusal } from './refusals.js';
