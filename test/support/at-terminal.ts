import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { MTLS, plainEnvironment } from './session.js';

/** The built program at a terminal of its own, made by script(1); `args` are read by a shell. */
export function atTerminal(args: string, cwd: string) {
  const { CI: _ci, NO_COLOR: _colour, ...env } = plainEnvironment();
  const child = spawn('script', ['-qec', `'${process.execPath}' '${MTLS}' ${args}`, '/dev/null'], { cwd, env: { ...env, TERM: 'xterm' } });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
  const shows = async (text: string): Promise<void> => {
    while (!stripVTControlCharacters(screen).includes(text)) await sleep(20);
  };
  return { shows, type: (keys: string) => child.stdin.write(keys), screen: () => screen, end: once(child, 'close') as Promise<[number]> };
}
