import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultLocation, readLocation } from '../src/location.ts';

describe('the words behind a verb', () => {
  it('begin with a location when the first has a scheme or names a port', () => {
    for (const location of ['grpc://db:8815', 'db:8815', '[::1]:8815', 'grpc+unix:///run/flight.sock']) {
      assert.deepEqual(readLocation([location, 'sales', 'north']), { location, words: ['sales', 'north'] });
    }
  });

  it('are for the server of this machine otherwise', () => {
    assert.deepEqual(readLocation(['sales', 'north']), {
      location: defaultLocation,
      words: ['sales', 'north'],
    });
    assert.deepEqual(readLocation([]), { location: defaultLocation, words: [] });
  });
});
