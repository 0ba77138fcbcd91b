import * as zlib from 'node:zlib';
import { FlightDataError } from '../../errors.ts';
import { loadWasmZstd, type Zstd } from './zstd-wasm.ts';
import { wrongLength } from './wrong-length.ts';

/*
 * frame  := u32 0xFD2FB528, descriptor byte (bits 7-6 size of the content size field: 0, 2, 4 or 8 bytes; 5 single
 *           segment; 3 reserved; 2 checksum; 1-0 dictionary id: 0, 1, 2 or 4 bytes), [window byte unless single segment],
 *           [dictionary id], [content size], blocks, [checksum]
 *
 * https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md
 */

const magic = 0xfd2fb528;

/**
 * Arrow's own level. Higher ones take a multiple of the time for a few percent: the choice here is between networks
 * and processors, and LZ4 is the other end of it.
 */
const level = 1;

/** Node's own Zstandard is there from 22.15 and 23.8 on; before it, WebAssembly is loaded with the first use. */
let loaded: Zstd | undefined;

function zstd(): Zstd {
  loaded ??= typeof zlib.zstdDecompressSync === 'function' ? nodeZstd : loadWasmZstd();
  return loaded;
}

/**
 * Compresses bytes into one Zstandard frame, with the content's size.
 *
 * @param bytes - may be empty
 */
export function compressZstd(bytes: Uint8Array): Uint8Array {
  return zstd().compress(bytes, level);
}

/**
 * Decompresses a Zstandard frame whose content has a known length.
 *
 * @param bytes - one frame
 * @param byteLength - of the content; more or less is an error
 * @throws FlightDataError when the bytes are not a valid frame of that content
 */
export function decompressZstd(bytes: Uint8Array, byteLength: number): Uint8Array {
  const stated = contentSize(bytes);
  if (stated !== undefined && stated !== byteLength) throw wrongLength(stated, byteLength);
  const result = zstd().decompress(bytes, byteLength);
  if (result.byteLength !== byteLength) throw wrongLength(result.byteLength, byteLength);
  return result;
}

const nodeZstd: Zstd = {
  compress: (bytes, compressionLevel) =>
    zlib.zstdCompressSync(bytes, {
      pledgedSrcSize: bytes.byteLength,
      params: { [zlib.constants.ZSTD_c_compressionLevel]: compressionLevel },
    }),
  decompress(bytes, byteLength) {
    try {
      // With room for one byte more than there is, the result is one piece, and too long a content is noticed.
      return zlib.zstdDecompressSync(bytes, {
        chunkSize: Math.max(byteLength + 1, 64),
        maxOutputLength: Math.max(byteLength, 1),
      });
    } catch (cause) {
      throw new FlightDataError(`Zstandard data cannot be decompressed to ${byteLength} bytes`, { cause });
    }
  },
};

/** The size of the content that the frame states, before memory is taken for it; undefined when it states none. */
function contentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 6 || view.getUint32(0, true) !== magic) {
    throw new FlightDataError(`${bytes.byteLength} compressed bytes are no Zstandard frame`);
  }
  const descriptor = view.getUint8(4);
  const single = (descriptor & 0b10_0000) !== 0;
  // two bits number four lengths
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const fieldBytes = descriptor >> 6 === 0 ? (single ? 1 : 0) : 1 << (descriptor >> 6);
  if (at + fieldBytes > bytes.byteLength) {
    throw new FlightDataError(`a Zstandard frame of ${bytes.byteLength} bytes is cut short`);
  }
  switch (fieldBytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    case 8:
      return Number(view.getBigUint64(at, true));
    default:
      return undefined;
  }
}
