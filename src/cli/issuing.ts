// not the index of the room: a command loads what it needs
import { type IssueResult, issueCertificates } from '../authority/issue/issue.js';
import type { IssueRequest } from '../authority/issue/plan.js';
import type { Workspace } from '../authority/workspace.js';
import { systemClock } from '../base/clock.js';
import { interruption } from './interruption.js';
import { withProgress } from './output.js';

/** Issues, and tells how far it is where that takes long. */
export function issueWithProgress(workspace: Workspace, requests: readonly IssueRequest[]): Promise<IssueResult[]> {
  const { signal } = interruption;
  return withProgress('issuing', (tell) => issueCertificates(workspace, requests, systemClock, { signal, tell }));
}
