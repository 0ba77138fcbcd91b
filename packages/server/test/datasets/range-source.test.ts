import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { explainReadError, openFileRange } from '../../src/datasets/range-source.ts';

describe('A file that is read in ranges', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-range-'));
  });
  after(() => rm(folder, { recursive: true }));

  const fails =
    (code: string, message: RegExp) =>
    (error: unknown): boolean => {
      assert.ok(error instanceof FlightError);
      assert.equal(error.code, code);
      assert.match(error.rawMessage, message);
      return true;
    };

  it('that is gone is not found', async () => {
    await assert.rejects(
      openFileRange(join(folder, 'gone.arrow'), 'gone.arrow'),
      fails('NOT_FOUND', /^gone\.arrow is no longer there: ENOENT/),
    );
  });

  it('gives exactly what is asked for, and says where it ends when it was cut meanwhile', async () => {
    const path = join(folder, 'cut.arrow');
    await writeFile(path, 'abcdef');
    const file = await openFileRange(path, 'cut.arrow');
    assert.equal(Buffer.from(await file.read(1, 3)).toString(), 'bcd');
    await truncate(path, 2);
    await assert.rejects(
      file.read(1, 3),
      fails('INVALID_DATA', /^cut\.arrow ends at byte 2, where 2 more bytes belong/),
    );
    await file.close();
    // As a disk that fails does: the system tells it with a code of its own.
    await assert.rejects(file.read(1, 3), fails('UNAVAILABLE', /^cut\.arrow cannot be read: /));
  });

  it('that this user may not read, or that the disk fails to give, is told as the state of the server', () => {
    for (const [system, code, message] of [
      [
        'EACCES',
        'FAILED_PRECONDITION',
        /^a may not be read by the server \(EACCES: no\): give its user the right to/,
      ],
      ['EPERM', 'FAILED_PRECONDITION', /^a may not be read/],
      ['EIO', 'UNAVAILABLE', /^a cannot be read: EIO: no/],
      ['ESTALE', 'UNAVAILABLE', /^a cannot be read/],
      ['EMFILE', 'UNAVAILABLE', /^a cannot be read/],
      ['ENOTDIR', 'NOT_FOUND', /^a is no longer there/],
    ] as const) {
      const error = Object.assign(new Error(`${system}: no`), { code: system });
      fails(code, message)(explainReadError(error, 'a'));
    }
  });
});
