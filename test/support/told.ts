import assert from 'node:assert/strict';
import { mtls } from './session.js';

/** What a command that could not do it told, in text and in JSON: the same, in one line, exit 2, and never a stack trace. */
export async function told(
  args: readonly string[],
  options: Parameters<typeof mtls>[1],
): Promise<{ readonly code: string; readonly message: string; readonly hints: readonly string[] }> {
  const text = await mtls(args, options);
  const json = await mtls([...args, '--json'], options);
  assert.deepEqual([text.code, json.code, text.stdout, json.stderr], [2, 2, '', ''], text.stdout + text.stderr + json.stderr);
  const { error } = JSON.parse(json.stdout) as { error: { code: string; message: string; hints: string[] } };
  assert.equal(text.stderr, [`error: ${error.message}`, ...error.hints.map((hint) => `  → ${hint}`), ''].join('\n'));
  assert.doesNotMatch(text.stderr, /\n\s+at /);
  return error;
}
