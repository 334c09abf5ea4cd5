import { parentPort, workerData } from 'node:worker_threads';
import { batchAnswerer } from './batch.js';

// One thread of a long `verify --batch`: the lines that it gets are answered as the command itself answers them.
const answer = batchAnswerer(new Date(workerData as number));
parentPort!.on('message', ({ id, lines }: { readonly id: number; readonly lines: readonly string[] }) => {
  const answers = lines.map((line) => `${JSON.stringify(answer(line))}\n`).join('');
  parentPort!.postMessage({ id, answers });
});
