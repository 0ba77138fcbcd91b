/*
 * FlightData := [ 0A length descriptor ]      field 1, an encoded FlightDescriptor
 *               [ 12 length data_header ]     field 2, a flatbuffer Message of Arrow IPC
 *               [ 1A length app_metadata ]    field 3
 *               [ C2 3E length data_body ]    field 1000
 *
 * Lengths are varints. This is the order that is written; any order is read (flight-data-decoder.ts). The body is
 * last, so that what is before it makes one small head.
 */

import type { Body } from '../bytes/body-pool.ts';
import { takeWriteMemory } from '../bytes/write-memory.ts';
import { varintByteLength, writeVarint } from '../bytes/varint.ts';
import type { OutgoingMessage } from '../grpc/message.ts';
import { coalesceBodyBelowBytes, coalesceManyBelowBytes, manyBodyPieces } from '../limits/proto.ts';

/** One message of a DoGet, DoPut or DoExchange stream, as it is on the wire. */
export interface FlightData {
  /** Encoded FlightDescriptor, only in the first message of DoPut and DoExchange. */
  readonly descriptor: Uint8Array | undefined;
  /** The IPC Message flatbuffer without its length prefix; empty for messages that only carry metadata. */
  readonly dataHeader: Uint8Array;
  /** Bytes of the application that travel with the message; undefined when there are none. */
  readonly appMetadata: Uint8Array | undefined;
  /** The IPC body; empty when there is none. */
  readonly dataBody: Uint8Array;
  /** The recycled memory behind {@link FlightData.dataBody}; undefined when it is of another kind. */
  readonly body?: Body | undefined;
}

/** What {@link encodeFlightData} makes a message of. */
export interface FlightDataParts {
  /** Encoded FlightDescriptor. Default: none. */
  readonly descriptor?: Uint8Array | undefined;
  /** The IPC Message flatbuffer without a length. Default: none, a message that only carries metadata. */
  readonly dataHeader?: Uint8Array | undefined;
  /** Bytes of the application. Default: none; empty bytes are sent as such. */
  readonly appMetadata?: Uint8Array | undefined;
  /** The IPC body in pieces, in order. Large ones are not copied and may not change until they are flushed. */
  readonly bodyPieces?: readonly Uint8Array[] | undefined;
  /** The sum of the pieces' lengths, when it is known. Default: it is added up. */
  readonly bodyLength?: number | undefined;
  /** The message is written once, to one call: its own memory may be used again after that. Default: false. */
  readonly recycle?: boolean | undefined;
}

/** Bytes that are shorter are copied faster by a loop than by `set`: padding, most of all. */
const loopBytes = 16;

/** Tags: field number * 8 + 2, which says that a length follows. */
const descriptorTag = 0x0a;
const dataHeaderTag = 0x12;
const appMetadataTag = 0x1a;
/** 1000 * 8 + 2 as a varint. */
const dataBodyTag = [0xc2, 0x3e] as const;

/**
 * Makes a message of its parts. Everything before the body and all small pieces of the body are copied into one
 * piece of memory; large pieces go as they are. A body without bytes is left out, as peers in Go and Rust do.
 *
 * @param onFlushed - told when the pieces may change; see {@link OutgoingMessage}
 */
export function encodeFlightData(parts: FlightDataParts, onFlushed?: () => void): OutgoingMessage {
  const { descriptor, dataHeader, appMetadata, bodyPieces = [] } = parts;
  const bodyLength = parts.bodyLength ?? sumLengths(bodyPieces);
  const headLength =
    (descriptor === undefined ? 0 : fieldLength(descriptor)) +
    (dataHeader === undefined || dataHeader.byteLength === 0 ? 0 : fieldLength(dataHeader)) +
    (appMetadata === undefined ? 0 : fieldLength(appMetadata)) +
    (bodyLength === 0 ? 0 : dataBodyTag.length + varintByteLength(bodyLength));

  const below = bodyPieces.length < manyBodyPieces ? coalesceBodyBelowBytes : coalesceManyBelowBytes;
  const memoryLength = headLength + sumLengthsBelow(below, bodyPieces);
  const { at: start, bytes: memory, body } = takeWriteMemory(memoryLength);
  let at = start;
  if (descriptor !== undefined) at = writeField(memory, at, descriptorTag, descriptor);
  if (dataHeader !== undefined && dataHeader.byteLength > 0) {
    at = writeField(memory, at, dataHeaderTag, dataHeader);
  }
  if (appMetadata !== undefined) at = writeField(memory, at, appMetadataTag, appMetadata);
  if (bodyLength > 0) {
    memory[at++] = dataBodyTag[0];
    memory[at++] = dataBodyTag[1];
    at = writeVarint(memory, at, bodyLength);
  }
  return {
    pieces: gather(memory, start, at, bodyPieces, below),
    byteLength: headLength + bodyLength,
    onFlushed,
    memory: parts.recycle === true ? body : undefined,
  };
}

/**
 * The gather list of a body and of the head that lies in `memory` already. Small pieces are copied behind it, and those
 * that follow each other become one piece.
 */
function gather(
  memory: Uint8Array,
  headStart: number,
  headEnd: number,
  bodyPieces: readonly Uint8Array[],
  below: number,
): Uint8Array[] {
  const { buffer } = memory;
  const pieces: Uint8Array[] = [];
  let start = headStart;
  let end = headEnd;
  for (const piece of bodyPieces) {
    const { byteLength } = piece;
    if (byteLength < below) {
      if (byteLength > loopBytes) memory.set(piece, end);
      else for (let i = 0; i < byteLength; i++) memory[end + i] = piece[i] ?? 0;
      end += byteLength;
      continue;
    }
    if (end > start) pieces.push(new Uint8Array(buffer, start, end - start));
    start = end;
    pieces.push(piece);
  }
  if (end > start) pieces.push(new Uint8Array(buffer, start, end - start));
  return pieces;
}

function fieldLength(bytes: Uint8Array): number {
  return 1 + varintByteLength(bytes.byteLength) + bytes.byteLength;
}

function writeField(memory: Uint8Array, offset: number, tag: number, bytes: Uint8Array): number {
  memory[offset] = tag;
  const at = writeVarint(memory, offset + 1, bytes.byteLength);
  memory.set(bytes, at);
  return at + bytes.byteLength;
}

function sumLengths(pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const piece of pieces) sum += piece.byteLength;
  return sum;
}

function sumLengthsBelow(below: number, pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const { byteLength } of pieces) {
    if (byteLength < below) sum += byteLength;
  }
  return sum;
}
