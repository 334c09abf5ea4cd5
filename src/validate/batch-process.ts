import { batchAnswerer } from './batch.js';

// One process of a long `verify --batch`: the lines that it gets are answered as the command itself answers them.
process.once('message', (now: number) => {
  const answer = batchAnswerer(new Date(now));
  process.on('message', ({ id, lines }: { readonly id: number; readonly lines: readonly string[] }) => {
    process.send!({ id, answers: lines.map((line) => `${JSON.stringify(answer(line))}\n`).join('') });
  });
});
