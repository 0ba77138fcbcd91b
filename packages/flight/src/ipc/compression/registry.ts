import { FlightUnimplementedError } from '../../errors.ts';
import type { IpcCompression } from '../message.ts';

/**
 * Compresses one buffer into a complete frame of the codec (without Arrow's length prefix).
 *
 * @param codec - `lz4` gives an LZ4 frame, `zstd` a Zstandard frame
 * @param bytes - what to compress; may be empty
 */
export function compressBuffer(codec: IpcCompression, bytes: Uint8Array): Uint8Array {
  throw new FlightUnimplementedError(`compressing ${bytes.byteLength} bytes with ${codec} is not there`);
}

/**
 * Decompresses one buffer (without Arrow's length prefix).
 *
 * @param codec - how it was compressed
 * @param bytes - one or several frames
 * @param uncompressedLength - what the length prefix says; more or fewer bytes are an error
 * @throws FlightDataError when the bytes are not valid or do not give that many bytes
 */
export function decompressBuffer(
  codec: IpcCompression,
  bytes: Uint8Array,
  uncompressedLength: number,
): Uint8Array {
  throw new FlightUnimplementedError(
    `decompressing ${bytes.byteLength} bytes with ${codec} to ${uncompressedLength} is not there`,
  );
}
