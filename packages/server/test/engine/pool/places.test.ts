import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createPlaces } from '../../../src/engine/pool/places.ts';

it('has as many places as it was made with, and those again that are free', () => {
  const places = createPlaces(2);
  const first = places.take();
  assert.equal(places.areTaken, false);
  places.take();
  assert.equal(places.areTaken, true);
  first.free();
  assert.equal(places.areTaken, false);
  // Twice is once.
  first.free();
  places.take();
  assert.equal(places.areTaken, true);
});

it('lets a place be given up once, and counts who runs on until he has ended', () => {
  const places = createPlaces(1);
  const first = places.take();
  assert.equal(first.giveUp(), true);
  assert.deepEqual([places.areTaken, places.givenUp], [false, 1]);
  assert.equal(first.giveUp(), false);
  assert.equal(places.givenUp, 1);
  const second = places.take();
  assert.equal(second.giveUp(), false, 'as many as there are places have given theirs up');
  assert.deepEqual([places.areTaken, places.givenUp], [true, 1]);
  first.free();
  assert.deepEqual([places.areTaken, places.givenUp], [true, 0]);
  assert.equal(second.giveUp(), true);
  second.free();
  assert.deepEqual([places.areTaken, places.givenUp], [false, 0]);
  assert.equal(second.giveUp(), false, 'its statement has ended');
});
