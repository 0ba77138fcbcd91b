import { FlightDataError } from '../../errors.ts';
import { allocate } from '../allocate.ts';
import { type Bytes, compressBlock, decompressBlock, emptyHashTable, maxBlockBytes } from './lz4-block.ts';
import { xxhash32 } from './xxhash32.ts';
import { wrongLength } from './wrong-length.ts';

/*
 * frames     := (frame | skippable)*
 * frame      := u32 0x184D2204, descriptor, block*, u32 0, [u32 XXH32 of the content]
 * descriptor := FLG (bits 7-6 version 01, 5 independent blocks, 4 block checksums, 3 content size, 2 content checksum,
 *               0 dictionary id), BD (bits 6-4 block maximum: 4 64 KiB, 5 256 KiB, 6 1 MiB, 7 4 MiB), [u64 content
 *               size], [u32 dictionary id], HC (second byte of XXH32 of the descriptor before it)
 * block      := u32 size (bit 31: the data is not compressed), data, [u32 XXH32 of the data]
 * skippable  := u32 0x184D2A50 to 0x184D2A5F, u32 size, data
 *
 * All numbers are little-endian. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */

const magic = 0x184d2204;
const skippableMagic = 0x184d2a50;
const stored = 0x8000_0000;

/** Blocks of what we write: 256 KiB, which keeps the hash table and the block in the processor's second cache. */
const blockBytes = 256 * 1024;
const blockMaximumCode = 5;

/** Version 01, blocks that refer to those before (so the 64 KiB window spans them), content size. */
const flags = 0b0100_1000;
const headerBytes = 15;

/**
 * Decompresses LZ4 frames whose content has a known length.
 *
 * @param bytes - one frame, or several in a row
 * @param byteLength - of the content; more or less is an error
 * @throws FlightDataError when the bytes are not valid frames of that content; checksums, where there are any, count
 * @throws FlightResourceExhaustedError when there is no memory for the content
 */
export function decompressLz4Frame(bytes: Uint8Array, byteLength: number): Uint8Array {
  // A byte of LZ4 gives at most 255 bytes, so a length that no frame of this size reaches takes no memory.
  if (byteLength > bytes.byteLength * 255) throw wrongLength(`at most ${bytes.byteLength * 255}`, byteLength);
  const source = viewed(bytes);
  const target = viewed(allocate(byteLength, 'decompressed data'));
  let from = 0;
  let to = 0;
  while (from < bytes.byteLength) {
    const word = uint32(source.view, from);
    if (word >>> 4 === skippableMagic >>> 4) {
      from += 8 + uint32(source.view, from + 4);
      continue;
    }
    if (word !== magic) {
      throw new FlightDataError(
        `an LZ4 frame starts with 0x${word.toString(16)} instead of 0x${magic.toString(16)}`,
      );
    }
    [from, to] = decompressFrame(source, from + 4, target, to);
  }
  if (from !== bytes.byteLength) throw endsWithin(bytes.byteLength);
  if (to !== byteLength) throw wrongLength(to, byteLength);
  return target.bytes;
}

/** Decompresses the frame whose descriptor is at `start`; gives the ends in source and target. */
function decompressFrame(source: Bytes, start: number, target: Bytes, at: number): [number, number] {
  const { bytes, view } = source;
  const room = target.bytes.byteLength;
  const flg = uint8(view, start);
  const bd = uint8(view, start + 1);
  if (flg >> 6 !== 1)
    throw new FlightDataError(`an LZ4 frame has version ${flg >> 6}; only version 1 is known`);
  if ((flg & 1) !== 0)
    throw new FlightDataError('an LZ4 frame wants a dictionary, which Arrow has no place for');
  const independent = (flg & 0b10_0000) !== 0;
  const blockChecksums = (flg & 0b1_0000) !== 0;
  const contentSize = (flg & 0b1000) !== 0;
  const contentChecksum = (flg & 0b100) !== 0;
  const maximum = 1 << (8 + 2 * ((bd >> 4) & 7));
  const descriptorEnd = start + 2 + (contentSize ? 8 : 0);
  const checksum = (xxhash32(bytes, start, Math.min(descriptorEnd, bytes.byteLength)) >> 8) & 0xff;
  if (uint8(view, descriptorEnd) !== checksum) {
    throw new FlightDataError('the header of an LZ4 frame does not match its checksum');
  }
  let from = descriptorEnd + 1;
  let to = at;
  for (;;) {
    const word = uint32(source.view, from);
    from += 4;
    if (word === 0) break;
    const size = word & 0x7fff_ffff;
    if (size > bytes.byteLength - from) throw endsWithin(bytes.byteLength);
    if (size > maximum) {
      throw new FlightDataError(
        `a block of ${size} bytes is in an LZ4 frame whose blocks have at most ${maximum}`,
      );
    }
    if (word >= stored) {
      if (size > room - to) throw wrongLength(`${to + size} and more`, room);
      target.bytes.set(bytes.subarray(from, from + size), to);
      to += size;
    } else {
      const limit = Math.min(room, to + maximum);
      to = decompressBlock(source, from, from + size, target, to, independent ? to : at, limit);
    }
    if (blockChecksums && uint32(view, from + size) !== xxhash32(bytes, from, from + size)) {
      throw new FlightDataError('a block of an LZ4 frame does not match its checksum');
    }
    from += size + (blockChecksums ? 4 : 0);
  }
  if (contentChecksum) {
    if (uint32(source.view, from) !== xxhash32(target.bytes, at, to)) {
      throw new FlightDataError('the content of an LZ4 frame does not match its checksum');
    }
    from += 4;
  }
  return [from, to];
}

/**
 * Compresses bytes into one LZ4 frame, with the content's size and without checksums (the transport has its own).
 *
 * @param bytes - may be empty
 */
export function compressLz4Frame(bytes: Uint8Array): Uint8Array {
  const { byteLength } = bytes;
  const blocks = Math.ceil(byteLength / blockBytes);
  const target = new Uint8Array(
    headerBytes + maxBlockBytes(byteLength) + blocks * (4 + maxBlockBytes(0)) + 4,
  );
  const source = viewed(bytes);
  const output = viewed(target);
  const out = output.view;
  out.setUint32(0, magic, true);
  target[4] = flags;
  target[5] = blockMaximumCode << 4;
  out.setBigUint64(6, BigInt(byteLength), true);
  target[14] = (xxhash32(target, 4, 14) >> 8) & 0xff;
  let to = headerBytes;
  const table = emptyHashTable(byteLength);
  for (let start = 0; start < byteLength; start += blockBytes) {
    const end = Math.min(start + blockBytes, byteLength);
    const blockEnd = compressBlock(source, start, end, table, output, to + 4);
    const size = blockEnd - to - 4;
    if (size < end - start) {
      out.setUint32(to, size, true);
      to = blockEnd;
    } else {
      out.setUint32(to, stored + (end - start), true);
      target.set(bytes.subarray(start, end), to + 4);
      to += 4 + end - start;
    }
  }
  out.setUint32(to, 0, true);
  return target.slice(0, to + 4);
}

function viewed(bytes: Uint8Array): Bytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function uint8(view: DataView, at: number): number {
  if (at >= view.byteLength) throw endsWithin(view.byteLength);
  return view.getUint8(at);
}

function uint32(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw endsWithin(view.byteLength);
  return view.getUint32(at, true);
}

function endsWithin(byteLength: number): FlightDataError {
  return new FlightDataError(`an LZ4 frame of ${byteLength} bytes is cut short`);
}
