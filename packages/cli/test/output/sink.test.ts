import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
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

  // A file in the place of /dev/null was what a user with all rights would have got.
  it('may be a pipe or a device, which stays what it is', {
    skip: process.platform === 'win32',
  }, async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = open(pipe, 'r+');
    const sink = openSink(pipe);
    await sink.write('a,b\n');
    await sink.finish();
    const { buffer, bytesRead } = await (await reader).read(Buffer.alloc(100));
    assert.equal(buffer.toString('utf8', 0, bytesRead), 'a,b\n');
    await (await reader).close();
    assert.ok(lstatSync(pipe).isFIFO());
    rmSync(pipe);
  });

  it('may be a link, which stays one', { skip: process.platform === 'win32' }, async () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'real.csv'), 'old');
    const link = join(folder, 'link.csv');
    symlinkSync(join(other, 'real.csv'), link);
    const sink = openSink(link);
    await sink.write('new');
    await sink.finish();
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(readFileSync(join(other, 'real.csv'), 'utf8'), 'new');
    assert.deepEqual(readdirSync(other), ['real.csv']);
  });

  it('may be written twice at once: the last that ends is there', async () => {
    const path = join(folder, 'twice.csv');
    const [first, second] = [openSink(path), openSink(path)];
    await second.write('second');
    await first.write('first');
    await first.finish();
    await second.finish();
    assert.equal(readFileSync(path, 'utf8'), 'second');
  });
});
