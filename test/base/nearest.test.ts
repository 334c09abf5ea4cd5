import assert from 'node:assert/strict';
import { nearest } from '../../src/base/nearest.js';

describe('nearest', () => {
  it('is the word that was likely meant', () => {
    const known = ['name', 'namespace', 'profile', 'key-type'];
    assert.equal(nearest('nmae', known), 'name');
    assert.equal(nearest('keytype', known), 'key-type');
    assert.equal(nearest('profiles', known), 'profile');
    assert.equal(nearest('x', known), undefined);
    assert.equal(nearest('name', []), undefined);
  });

  it('compares no word that is longer than any', () => {
    assert.equal(nearest('a'.repeat(16_000_000), ['a'.repeat(64)]), undefined);
  });
});
