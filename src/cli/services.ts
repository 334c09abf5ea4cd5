import type { IssueRequest, IssueResult, Workspace } from '../authority/index.js';
import { type Planner, plan, plannerOf } from '../authority/issue/plan.js';
import { readServicesFile, servicesFormatOf } from '../authority/issue/services-file.js';
import { readFileBounded } from '../base/files.js';
import { given } from '../base/given.js';
import { MtlsError } from '../errors.js';
import { csrIn } from '../pki/material.js';
import { interruption } from './interruption.js';
import { issueWithProgress } from './issuing.js';
import { withProgress } from './output.js';

/** An entry of a file of services that is not issued, and why. */
export interface ServiceProblem {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Issues what a file of services asks for: what is wrong with an entry is told with its line, and the others are issued,
 * unless all or nothing is wanted. All keys are put under the one passphrase, where there is one. Throws what reading the file and issuing throw.
 */
export async function issueFromFile(
  workspace: Workspace,
  path: string,
  allOrNothing: boolean,
  keyPassphrase?: string,
): Promise<{ readonly issued: readonly IssueResult[]; readonly problems: readonly ServiceProblem[] }> {
  const { signal } = interruption;
  const text = readFileBounded(path, undefined, 'a list of services').toString('utf8');
  const readCsr = (file: string) => csrIn(readFileBounded(file), file);
  const read = await withProgress('reading', () => readServicesFile(text, path, servicesFormatOf(path), { readCsr, signal }));
  const problems: ServiceProblem[] = [...read.problems];
  const good: IssueRequest[] = [];
  // for each profile by itself: one that is not there is the problem of the entries that ask for it
  const planners = new Map<string | undefined, Promise<Planner>>();
  for (const { line, request: asked } of read.requests) {
    const request = { ...asked, ...given({ keyPassphrase }) };
    try {
      const planner = planners.get(request.profile) ?? plannerOf(workspace, [request]);
      planners.set(request.profile, planner);
      plan(await planner, request);
      good.push(request);
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      problems.push({ line, code: error.code, message: error.message });
    }
  }
  problems.sort((a, b) => a.line - b.line);
  const issues = good.length > 0 && !(allOrNothing && problems.length > 0);
  return { issued: issues ? await issueWithProgress(workspace, good) : [], problems };
}
