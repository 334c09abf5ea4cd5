import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toPem } from '../../src/pki/pem.js';
import { DAY, authority, certify } from '../support/chains.js';
import { temporaryDirectory } from '../support/material.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';

interface Answer {
  readonly id: string | null;
  readonly valid: boolean;
  readonly errors: readonly { readonly code: string }[];
}

const hence = (milliseconds: number): Date => new Date(Date.now() + milliseconds);
const validity = { notBefore: hence(-DAY), notAfter: hence(DAY) };
const ca = authority({ name: 'ca', ...validity });
const good = certify({ name: 'api', by: ca, names: { dns: ['api'] }, ...validity });
const [leaf, root] = [good, ca].map(({ certificate }) => toPem('CERTIFICATE', certificate.der));
const ask = (id: string, more: object = {}): string => JSON.stringify({ id, leaf, roots: [root], host: 'api', ...more });

describe('a long verify --batch', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  it('is answered in the order in which it was asked, whoever answers: good lines, bad ones and torn ones', async () => {
    const count = 4_000;
    const lines = Array.from({ length: count }, (_, i) => {
      if (i % 1_000 === 999) return 'no json';
      return ask(`q${i}`, i % 7 === 0 ? { host: 'other' } : {});
    });
    writeFileSync(join(directory.path, 'batch.jsonl'), lines.join('\n'));
    const { code, stdout, stderr } = await mtls(['verify', '--batch', 'batch.jsonl'], { cwd: directory.path });
    assert.deepEqual([code, stderr], [0, '']);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    assert.equal(answers.length, count);
    for (const [i, { id, valid, errors }] of answers.entries()) {
      if (i % 1_000 === 999) assert.deepEqual([id, valid, errors[0]!.code], [null, false, 'VALUE_INVALID']);
      else
        assert.deepEqual([id, valid, errors.map(({ code: found }) => found)], [`q${i}`, i % 7 !== 0, i % 7 === 0 ? ['NAME_MISMATCH'] : []]);
    }
  });

  it('answers whoever waits for an answer before the next question, at its beginning and when it is long', async () => {
    const child: ChildProcess = spawn(process.execPath, [MTLS, 'verify', '--batch', '-'], { cwd: directory.path, env: plainEnvironment() });
    const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const next = async (): Promise<string | null> => (JSON.parse((await answers.next()).value as string) as Answer).id;
    child.stdin!.write(`${ask('first')}\n`);
    assert.equal(await next(), 'first');
    const many = Array.from({ length: 1_500 }, (_, i) => ask(`m${i}`));
    child.stdin!.write(`${many.join('\n')}\n`);
    for (let i = 0; i < many.length; i++) assert.equal(await next(), `m${i}`);
    child.stdin!.write(`${ask('last')}\n`);
    assert.equal(await next(), 'last');
    child.stdin!.end();
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });
});
