import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { UsageError } from '../../src/exit-codes.ts';
import { openSink } from '../../src/output/sink.ts';

describe('the file that a command writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-sink-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is whole or not there', async () => {
    const file = join(folder, 'out.csv');
    const given = openSink(file);
    await given.write('a,b\n');
    assert.notDeepEqual(readdirSync(folder), ['out.csv'], 'it has another name until it is whole');
    await given.finish();
    assert.deepEqual(readdirSync(folder), ['out.csv']);
    const again = openSink(file);
    await again.write('x');
    await again.discard();
    assert.deepEqual(readdirSync(folder), ['out.csv']);
    assert.equal(readFileSync(file, 'utf8'), 'a,b\n');
  });

  it('is refused before anything is fetched', () => {
    assert.throws(
      () => openSink(folder),
      (error) => error instanceof UsageError && error.message.includes('is a folder: say which file in it'),
    );
    const nowhere = join(folder, 'no', 'x.csv');
    assert.throws(
      () => openSink(nowhere),
      (error) =>
        error instanceof UsageError && error.message.endsWith(`there is no folder ${join(folder, 'no')}`),
    );
  });
});
