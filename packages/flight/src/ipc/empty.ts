import { noBytes } from '../bytes/empty.ts';

/** No bytes: what stands for an absent validity bitmap, where apache-arrow looks for a `byteLength`. */
export const emptyBytes: Uint8Array = noBytes;

/** Offsets of a column without rows, whose sender left the buffer out. */
export const zeroOffsets: Int32Array = new Int32Array(1);

/** The same with 64 bits. */
export const zeroLargeOffsets: BigInt64Array = new BigInt64Array(1);
