/** Our codecs: codec.js FILE lz4|zstd compress|decompress; the same as `python/codec.py`. */
import { compressBuffer, decompressBuffer } from '@peregrine/flight/ipc';
import type { Data } from 'apache-arrow';
import { readBatches } from './data.ts';

/** How long is measured, and before that not counted, in ms. */
const measuredMs = 1000;
const warmUpMs = 500;

const [file = '', name = 'lz4', what = 'compress'] = process.argv.slice(2);
const codec = name === 'zstd' ? 'zstd' : 'lz4';
const [batch] = readBatches(file).batches;
const buffers = (batch?.data.children ?? []).flatMap(buffersOf);
const packed = buffers.map((buffer) => ({
  bytes: compressBuffer(codec, buffer),
  length: buffer.byteLength,
}));
const size = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
during(warmUpMs);
const start = performance.now();
const bytes = during(measuredMs) * size;
console.log(JSON.stringify({ bytes, seconds: (performance.now() - start) / 1000 }));

function buffersOf({ nullBitmap, valueOffsets, values }: Data): Uint8Array[] {
  const arrays: (ArrayBufferView | undefined)[] = [nullBitmap, valueOffsets, values];
  return arrays.flatMap((array) =>
    array === undefined || array.byteLength === 0
      ? []
      : [new Uint8Array(array.buffer, array.byteOffset, array.byteLength)],
  );
}

function during(ms: number): number {
  const end = performance.now() + ms;
  let passes = 0;
  for (; performance.now() < end; passes++) {
    if (what === 'compress') for (const buffer of buffers) compressBuffer(codec, buffer);
    else for (const each of packed) decompressBuffer(codec, each.bytes, each.length);
  }
  return passes;
}
