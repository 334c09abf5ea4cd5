import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../scripts/fuzz/random.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { Place, type Program, crashingProgram, randomFate } from './crashing.js';
import { crowd } from './crowd.js';

/** The short form of scripts/crash.ts, whose `everywhere` the tests beside this one have for the library. */
describe('the built program', function () {
  this.timeout(120_000);
  before(needs('openssl'));
  const directory = temporaryDirectory();
  let program: Program;
  before(async () => {
    program = await crashingProgram();
  });
  after(() => {
    program.remove();
    directory.remove();
  });

  let places = 0;
  async function newPlace(): Promise<Place> {
    const path = join(directory.path, String(places++));
    mkdirSync(path);
    return Place.create(path, program, { issuingCa: true });
  }

  it('keeps its promises when its commands are killed at random instants, and refused writes', async () => {
    const random = new Random(7);
    const place = await newPlace();
    let killed = 0;
    for (let step = 0; step < 40; step++) {
      const { code } = await place.run(place.randomCommand(random), randomFate(random));
      if (code === null) killed++;
      await place.witness.check();
    }
    await place.survive();
    // how many depends on how fast this machine is just now
    assert.ok(killed > 2, `${killed} killed only`);
    assert.ok(place.witness.reports > 8, `${place.witness.reports} things reported only`);
  });

  it('loses nothing when 32 at once issue, renew, revoke and sign CRLs, and each comes to its end', async () => {
    const place = await newPlace();
    const { commands, takeovers, longest } = await crowd(place, 32, { each: 2 });
    assert.equal(commands, 64);
    assert.equal(takeovers, 1, 'one says that it took over the lock of a process that is gone');
    assert.ok(longest < 60_000, `${longest} ms`);
    assert.equal(place.services().length, 3 + 1 + 32);
  });
});
