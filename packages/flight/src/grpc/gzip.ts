/** Compression of single messages; the only one besides none is gzip (RFC 1952). */

import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { FlightInternalError, FlightResourceExhaustedError } from '../errors.ts';
import type { OutgoingMessage } from './message.ts';

/** Value of `grpc-accept-encoding`: what {@link decompressMessage} reads. */
export const acceptedEncodings = 'identity,gzip';

/**
 * Decompresses a message.
 *
 * @param maxBytes - what it may take; no more memory than that is used, whatever the bytes claim
 * @throws FlightResourceExhaustedError when it takes more; FlightInternalError when it is no gzip
 */
export function decompressMessage(compressed: Uint8Array, maxBytes: number): Uint8Array {
  if (compressed.byteLength === 0) return compressed;
  try {
    return gunzipSync(compressed, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new FlightResourceExhaustedError(
        `a message of ${compressed.byteLength} bytes compressed takes more than ${maxBytes} bytes, the limit for received messages; send smaller ones or raise maxReceiveBytes`,
        { cause },
      );
    }
    throw new FlightInternalError('a message cannot be decompressed: it is no valid gzip', { cause });
  }
}

/** Compresses a message, favouring speed: links slow enough to gain from gzip gain most from the first level. */
export function compressMessage(message: OutgoingMessage): Uint8Array {
  const [first] = message.pieces;
  const whole =
    message.pieces.length === 1 && first !== undefined
      ? first
      : Buffer.concat(message.pieces, message.byteLength);
  return gzipSync(whole, { level: constants.Z_BEST_SPEED });
}
