import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DAY, formatDuration, parseDuration } from '../../src/base/duration.js';
import { isError } from '../../src/errors.js';

describe('durations', () => {
  it('are a number and a unit', () => {
    const all = ['250ms', '5s', '90m', '12h', '30d', '2w', '1y', ' 7d ', '1000y', '1ms'].map((text) => parseDuration(text));
    assert.deepEqual(all, [250, 5_000, 5_400_000, 43_200_000, 30 * DAY, 14 * DAY, 365 * DAY, 7 * DAY, 365_000 * DAY, 1]);
  });

  it('are nothing else', () => {
    const texts = [
      '',
      'd',
      '30',
      '-1d',
      '+1d',
      '1.5h',
      '1e3s',
      '1 d',
      '1d2h',
      '1D',
      '0s',
      '0d',
      '1001y',
      '9999999999s',
      '٣d',
      '1d\n1d',
      'NaNd',
      'Infinityd',
    ];
    for (const text of texts)
      assert.throws(
        () => parseDuration(text, '--days'),
        (error) => isError(error, 'VALUE_INVALID') && error.facts.found === text && error.facts.what === '--days',
        text,
      );
  });

  it('are VALUE_INVALID or positive milliseconds, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789 msmhdwy.-e') }), (text) => {
        try {
          const milliseconds = parseDuration(text);
          assert.ok(Number.isSafeInteger(milliseconds) && milliseconds > 0 && milliseconds <= 365_000 * DAY);
        } catch (error) {
          assert.ok(isError(error, 'VALUE_INVALID'));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are said in their largest unit, either way round', () => {
    const said = [0, 17.9, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, DAY - 1, DAY, 29.5 * DAY, 729 * DAY, 730 * DAY, -2 * DAY].map(
      formatDuration,
    );
    assert.deepEqual(said, [
      '0 ms',
      '17 ms',
      '1 second',
      '59 seconds',
      '1 minute',
      '59 minutes',
      '1 hour',
      '23 hours',
      '1 day',
      '29 days',
      '729 days',
      '2 years',
      '2 days',
    ]);
  });
});
