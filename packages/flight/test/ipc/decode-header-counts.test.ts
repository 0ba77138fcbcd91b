// Each number of a header made a little larger or smaller: it still decodes, or is refused, and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDataError, FlightUnimplementedError } from '../../src/errors.ts';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { encodeDictionaryBatchHeader, encodeRecordBatchHeader } from '../../src/ipc/encode/message.ts';

const layout = {
  length: 3,
  nodes: [3, 0, 3, 1],
  buffers: [0, 0, 0, 12, 16, 8, 24, 48],
  variadicBufferCounts: [1, 2, 3],
  compression: 'zstd',
} as const;

const headers = {
  'a record batch': encodeRecordBatchHeader(layout, 72),
  'a dictionary batch': encodeDictionaryBatchHeader(5, false, layout, 72),
  'a delta of a dictionary': encodeDictionaryBatchHeader(5, true, layout, 72),
};

describe('the header of', () => {
  for (const [name, header] of Object.entries(headers)) {
    it(`${name} is read as it was written, up to its last byte`, () => {
      const { kind, bodyLength } = decodeMessageHeader(header);
      assert.equal(bodyLength, 72);
      assert.ok(kind === 'batch' || kind === 'dictionary');
      const read = decodeMessageHeader(header);
      assert.ok(read.kind !== 'schema');
      assert.deepEqual(
        [read.length, read.nodes, read.buffers, read.variadicBufferCounts, read.compression],
        [layout.length, layout.nodes, layout.buffers, layout.variadicBufferCounts, layout.compression],
      );
      if (read.kind === 'dictionary') assert.deepEqual([read.id, read.isDelta], [5, name.includes('delta')]);
    });

    it(`${name} stands any change of any of its numbers`, () => {
      let read = 0;
      let refused = 0;
      for (let at = 0; at + 4 <= header.byteLength; at += 2) {
        for (let change = -40; change <= 40; change += 1) {
          const changed = header.slice();
          const view = new DataView(changed.buffer);
          view.setUint32(at, view.getUint32(at, true) + change, true);
          try {
            decodeMessageHeader(changed);
            read += 1;
          } catch (error) {
            const known = error instanceof FlightDataError || error instanceof FlightUnimplementedError;
            assert.ok(known, `byte ${at} changed by ${change}: ${String(error)}`);
            refused += 1;
          }
        }
      }
      assert.ok(read > 1000 && refused > 1000, `${read} were read and ${refused} refused`);
    });
  }
});
