import { renderGithub } from './github.js';
import { renderJunit } from './junit.js';
import type { Report, Setting } from './report.js';
import { renderSarif } from './sarif.js';
import { renderTap } from './tap.js';

/** The formats in which pipelines read a report. */
export const REPORT_FORMATS = { junit: renderJunit, sarif: renderSarif, tap: renderTap, github: renderGithub } as const satisfies Readonly<
  Record<string, (report: Report, setting: Setting) => string>
>;
