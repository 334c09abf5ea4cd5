import { linesIn } from '../base/lines.js';
import { batchAnswerer } from './batch.js';

// One process of a long `verify --batch`: the lines that it gets are answered as the command itself answers them.
process.once('message', (now: number) => {
  const answer = batchAnswerer(new Date(now));
  process.on('message', ({ id, lines }: { readonly id: number; readonly lines: Uint8Array }) => {
    const answers = linesIn(Buffer.from(lines.buffer, lines.byteOffset, lines.length)).map((line) => `${JSON.stringify(answer(line))}\n`);
    process.send!({ id, answers: answers.join('') });
  });
});
