import type { IpcCompression } from '../message.ts';
import { compressLz4Frame, decompressLz4Frame } from './lz4-frame.ts';
import { compressZstd, decompressZstd } from './zstd.ts';

/**
 * Compresses one buffer into a complete frame of the codec (without Arrow's length prefix).
 *
 * @param codec - `lz4` gives an LZ4 frame, `zstd` a Zstandard frame
 * @param bytes - what to compress; may be empty
 */
export function compressBuffer(codec: IpcCompression, bytes: Uint8Array): Uint8Array {
  return codec === 'lz4' ? compressLz4Frame(bytes) : compressZstd(bytes);
}

/**
 * Decompresses one buffer (without Arrow's length prefix). Take the length from the prefix only after it was compared
 * with a limit: memory of that size is taken.
 *
 * @param codec - how it was compressed
 * @param bytes - the frame
 * @param uncompressedLength - what the length prefix says; more or fewer bytes are an error
 * @throws FlightDataError when the bytes are not valid or do not give that many bytes
 * @throws FlightResourceExhaustedError when there is no memory for them
 */
export function decompressBuffer(
  codec: IpcCompression,
  bytes: Uint8Array,
  uncompressedLength: number,
): Uint8Array {
  return codec === 'lz4'
    ? decompressLz4Frame(bytes, uncompressedLength)
    : decompressZstd(bytes, uncompressedLength);
}
