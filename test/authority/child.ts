import { initializeWorkspace } from '../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../src/authority/issue/issue.js';
import { revokeCertificates } from '../../src/authority/revocation/revoke.js';
import { openWorkspace } from '../../src/authority/workspace.js';
import { type Strike, injectFaults } from './faults.js';

/** What a process of its own is asked to do, as the JSON that is its argument. It prints what it reports as done. */
export interface Task {
  readonly act: 'init' | 'issue' | 'revoke';
  /** The workspace's own directory. */
  readonly directory: string;
  readonly now: number;
  /** Services to issue to, one call for all; or the one to revoke. */
  readonly names?: readonly string[];
  /** How often. */
  readonly times?: number;
  readonly strike?: Strike;
}

/** Printed when all was done. */
export interface Report {
  readonly serials: readonly string[];
  /** The calls that changed the file system. */
  readonly calls: readonly string[];
}

async function run({ act, directory, now, names = [], times = 1, strike }: Task): Promise<Report> {
  const clock = (): Date => new Date(now);
  const workspace = act === 'init' ? undefined : openWorkspace(directory, directory);
  const { calls } = injectFaults(strike);
  const serials: string[] = [];
  for (let i = 0; i < times; i++) {
    if (workspace === undefined) initializeWorkspace({ directory, trustDomain: 'shop.test', clock });
    else if (act === 'revoke')
      serials.push(...(await revokeCertificates(workspace, { what: names[0]! }, 'superseded', clock)).revoked.map(({ serial }) => serial));
    else {
      const requests = names.map((name) => ({ name }));
      serials.push(...(await issueCertificates(workspace, requests, clock)).map(({ entry }) => entry.serial));
    }
  }
  return { serials, calls };
}

void run(JSON.parse(process.argv[2]!) as Task).then(
  (report) => console.log(JSON.stringify(report)),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
