import assert from 'node:assert/strict';
import fc from 'fast-check';
import { placeOf } from '../../../src/render/formats/paths.js';
import { SETTING, hostile } from './reports.js';

const { directory } = SETTING;

describe('the place of a file in a report', () => {
  const PLACES: readonly (readonly [file: string, path: string, uri: string, isRelative: boolean])[] = [
    ['tls.crt', 'tls.crt', 'tls.crt', true],
    ['./a/../tls.crt', 'tls.crt', 'tls.crt', true],
    ['../tls.crt', '../tls.crt', '../tls.crt', true],
    [`${directory}/deploy/tls.crt`, 'deploy/tls.crt', 'deploy/tls.crt', true],
    [`${directory}-2/tls.crt`, `${directory}-2/tls.crt`, `file://${directory}-2/tls.crt`, false],
    ['/etc/my tls.crt', '/etc/my tls.crt', 'file:///etc/my%20tls.crt', false],
    [directory, '.', '.', true],
    [`${directory}/`, '.', '.', true],
    ['a b#c?d%41.crt', 'a b#c?d%41.crt', 'a%20b%23c%3Fd%2541.crt', true],
    ['http:x.crt', 'http:x.crt', 'http%3Ax.crt', true],
    ['é.crt', 'é.crt', '%C3%A9.crt', true],
    ['\ud800.crt', '\ud800.crt', '%EF%BF%BD.crt', true],
    ['..crt', '..crt', '..crt', true],
  ];
  for (const [file, path, uri, isRelative] of PLACES)
    it(JSON.stringify(file), () => assert.deepEqual(placeOf(file, directory), { path, uri, isRelative }));

  it('is a relative reference or an absolute URI, whatever the name', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom('', '/', `${directory}/`), (name, before) => {
        const { uri, isRelative } = placeOf(`${before}${name}`, directory);
        assert.match(uri, /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/);
        assert.doesNotMatch(uri, /%(?![0-9A-F]{2})/);
        assert.equal(URL.canParse(uri), !isRelative);
        if (isRelative) assert.ok(!uri.includes(directory));
      }),
    );
  });
});
