import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Data, RecordBatch } from 'apache-arrow';
import { FlightError } from '../../src/errors.ts';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { readIpcFile } from '../../src/ipc/file-reader.ts';
import type { IpcReadOptions } from '../../src/ipc/options.ts';
import { readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { fixture, plainBatch, touchAll } from './plain.ts';

const names = readdirSync(new URL('../../../test/fixtures/ipc/', import.meta.url)).filter(
  (name) => /\.arrows?$/.test(name) && !name.startsWith('big_'),
);
const codes = new Set(['INVALID_DATA', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED']);

/** The same every time, so that a failure comes again; IPC_FUZZ_ROUNDS gives more. */
const rounds = Number(process.env['IPC_FUZZ_ROUNDS'] ?? 12);
let seed = Number(process.env['IPC_FUZZ_SEED'] ?? 1);
function random(below: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 0x1_0000_0000) * below);
}

const words = [0, 1, 2, 7, 8, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff8];

/** Changes one to three places, to random bytes or to words at which arithmetic goes wrong. */
function damage(bytes: Uint8Array): Uint8Array {
  const damaged = bytes.slice();
  const view = new DataView(damaged.buffer);
  for (let i = 1 + random(3); i > 0; i--) {
    if (random(2) === 0) damaged[random(damaged.byteLength)] = random(256);
    else
      view.setUint32(
        4 * random(Math.floor(damaged.byteLength / 4) - 1),
        words[random(words.length)] ?? 0,
        true,
      );
  }
  return damaged;
}

/** Rows of a column or the longest one below it. */
function longest(data: Data): number {
  return Math.max(data.length, ...data.children.map(longest));
}

/** Everything that is there to be read of a batch that passed validation, whatever its level. */
function readEverything(batch: RecordBatch, utf8: boolean): void {
  // Columns of nothing can have any number of rows.
  if (longest(batch.data) > 10_000) return;
  if (utf8) plainBatch(batch);
  try {
    touchAll(batch);
  } catch (error) {
    // apache-arrow gives times as numbers of milliseconds, and cannot for all values.
    if (!(error instanceof TypeError && /not safe to convert/.test(error.message))) throw error;
  }
}

describe('damaged bytes', () => {
  const levels: readonly IpcReadOptions[] = [
    { maxDecompressedBytes: 1_000_000 },
    { validate: 'full', validateUtf8: true, maxDecompressedBytes: 1_000_000 },
  ];
  const name = 'give an error of the family or batches that can be read whole';
  for (const options of levels)
    it(`${name} (${options.validate ?? 'lengths'})`, () => {
      let good = 0;
      let refused = 0;
      for (const name of names) {
        const bytes = fixture(name);
        for (let round = 0; round < rounds; round++) {
          const damaged = damage(bytes);
          const at = `${name}, round ${round} of seed ${seed}`;
          try {
            const source = name.endsWith('.arrow')
              ? readIpcFile(damaged, options)
              : readIpcStreamSync(damaged, options);
            for (const batch of source) readEverything(batch, options.validateUtf8 === true);
            good += 1;
          } catch (error) {
            assert.ok(
              error instanceof FlightError && codes.has(error.code),
              `${at}: ${error instanceof Error ? error.stack : String(error)}`,
            );
            refused += 1;
          }
        }
      }
      assert.ok(good > 0 && refused > 0, `${good} ${refused}`);
    });

  it('as a header give an error of the family or a header', () => {
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from({ length: random(200) }, () =>
        random(3) === 0 ? random(256) : random(16),
      );
      try {
        decodeMessageHeader(bytes);
      } catch (error) {
        assert.ok(error instanceof FlightError && codes.has(error.code), String(error));
      }
    }
  });
});
