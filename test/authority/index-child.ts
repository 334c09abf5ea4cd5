import { viewLedger } from '../../src/authority/ledger/ledger-view.js';
import { type Strike, injectFaults } from './faults.js';

/** What a process of its own is asked, as the JSON that is its argument: to look something up, for which it writes an index. */
export interface ViewTask {
  readonly act: 'view';
  readonly ledger: string;
  readonly ledgerIndex: string;
  readonly strike?: Strike;
}

const task = JSON.parse(process.argv[2]!) as ViewTask;
const { calls } = injectFaults(task.strike);
viewLedger(task).issued('name', 's1');
console.log(JSON.stringify({ serials: [], calls }));
