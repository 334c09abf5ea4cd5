import * as Flags from '@oclif/core/flags';
import type { RunningServer, ServeOptions } from '../authority/index.js';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import type { LogFields } from '../base/log.js';
import { renderAnswered, renderServing } from '../render/serving.js';
import { renderLog } from '../render/proxy.js';
import { parseListen } from './endpoints.js';
import { interruption } from './interruption.js';
import { lineWriter } from './output.js';

/** Flags of a command that serves over HTTP. */
export const servingFlags = (listen: string) => ({
  listen: Flags.string({ summary: 'where to listen', helpValue: 'HOST:PORT', default: listen }),
  drain: Flags.string({ summary: 'how long what is under way may take after SIGTERM', default: '10s' }),
});

interface ServingFlags {
  readonly listen: string;
  readonly drain: string;
  readonly json: boolean;
}

/** Serves until Ctrl-C or SIGTERM, and tells in a line each what happens: answers on stdout, the rest as talk. */
export async function serveUntilStopped(flags: ServingFlags, start: (options: ServeOptions) => Promise<RunningServer>): Promise<void> {
  const out = lineWriter('stdout');
  const talk = flags.json ? out : lineWriter('stderr');
  const say = (write: (line: string) => void, line: LogFields & { readonly time: string }, render: () => string): void =>
    write(flags.json ? JSON.stringify(line) : render());
  const time = (): string => systemClock().toISOString();
  const log =
    (level: 'info' | 'warn') =>
    (event: string, fields: LogFields = {}): void => {
      const line = { time: time(), event, level, ...fields };
      if (event === 'answered') say(out, line, () => renderAnswered(line));
      else say(talk, line, () => renderLog(line));
    };
  const { host, port } = parseListen(flags.listen);
  const drainMs = parseDuration(flags.drain, '--drain');
  const server = await start({ host, port, drainMs, clock: systemClock, log: { info: log('info'), warn: log('warn') } });
  const listening = { time: time(), event: 'listening', url: server.url };
  say(talk, listening, () => renderServing(listening));
  const { signal } = interruption;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  log('info')('draining');
  await server.stop();
}
