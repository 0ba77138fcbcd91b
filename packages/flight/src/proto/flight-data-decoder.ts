/*
 * message := field*
 * field   := tag value           tag = field number * 8 + wire type, a varint below 2^32
 * value   := varint              wire type 0
 *          | 8 bytes             wire type 1
 *          | length bytes        wire type 2; length is a varint
 *          | field* end-group    wire types 3 and 4, which nobody writes any more
 *          | 4 bytes             wire type 5
 *
 * Of FlightData (grammar in flight-data.ts) fields 1, 2, 3 and 1000 are kept, everything else is skipped. Of a field
 * that comes twice the last one counts; descriptors are merged, which is the same as joining their bytes (Protocol
 * Buffers, encoding: last one wins).
 */

import { type Body, type BodyPool, defaultBodyPool } from '../bytes/body-pool.ts';
import { noBytes } from '../bytes/empty.ts';
import { FlightDataError, FlightResourceExhaustedError } from '../errors.ts';
import type { MessageDecoder } from '../grpc/message.ts';
import { maxProtobufGroupDepth } from '../limits/proto.ts';
import type { FlightData } from './flight-data.ts';

/** Where the parser is. `value` copies or skips the bytes of a field; the others read varints. */
const State = { tag: 0, length: 1, value: 2, skipVarint: 3 } as const;
type State = (typeof State)[keyof typeof State];

const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

const descriptorField = 1;
const dataHeaderField = 2;
const appMetadataField = 3;
const dataBodyField = 1000;

const maxVarintBytes = 10;
const maxTag = 0xffff_ffff;
/** Bytes that are shorter are copied faster by a loop than by `set` with the view that it needs. */
const loopBytes = 48;

/** Reads FlightData as its bytes arrive; each body is copied once, to where it will live. */
export class FlightDataDecoder implements MessageDecoder<FlightData> {
  readonly #pool: BodyPool;

  #messageLength = 0;
  /** Bytes of the message that the pushes before this one brought. */
  #received = 0;

  #state: State = State.tag;
  #varint = 0;
  #varintBytes = 0;
  /** Number of the field whose length or value is being read. */
  #field = 0;
  /** Bytes of the value that are still to come, and where they go; undefined: nowhere. */
  #valueLeft = 0;
  #target: Uint8Array | undefined;
  #filled = 0;
  /** Numbers of the groups that are open. */
  #groups: number[] = [];

  /** Memory of the descriptor, and how much of it is one: there is room for more where it came in several fields. */
  #descriptor: Uint8Array | undefined;
  #descriptorBytes = 0;
  #dataHeader: Uint8Array = noBytes;
  #appMetadata: Uint8Array | undefined;
  #body: Body | undefined;

  /** @param pool - where the memory of bodies comes from. Default: the thread's {@link defaultBodyPool} */
  constructor(pool: BodyPool = defaultBodyPool()) {
    this.#pool = pool;
  }

  begin(byteLength: number): void {
    this.#messageLength = byteLength;
    this.#received = 0;
    this.#reset();
  }

  /** @throws FlightDataError when the bytes are no FlightData, FlightResourceExhaustedError without memory for them */
  push(buffer: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#state === State.value) {
        const taken = Math.min(end - at, this.#valueLeft);
        this.#take(buffer, at, at + taken);
        at += taken;
        continue;
      }
      // a byte outside of the buffer cannot be: [start, end) is within it
      const byte = buffer[at++] ?? 0;
      if (this.#readVarint(byte)) this.#varintRead(this.#messageLength - this.#received - (at - start));
    }
    this.#received += end - start;
  }

  /** @throws FlightDataError when the message ends in the middle of a field */
  finish(): FlightData {
    if (this.#state !== State.tag || this.#varintBytes > 0 || this.#groups.length > 0) {
      this.abort();
      throw new FlightDataError(
        `a FlightData message of ${this.#messageLength} bytes ends in the middle of a field`,
      );
    }
    const body = this.#body;
    const data: FlightData = {
      descriptor: this.#descriptor?.subarray(0, this.#descriptorBytes),
      dataHeader: this.#dataHeader,
      appMetadata: this.#appMetadata,
      dataBody: body === undefined ? noBytes : body.bytes,
      body,
    };
    this.#body = undefined;
    this.#reset();
    return data;
  }

  abort(): void {
    this.#body?.release();
    this.#body = undefined;
    this.#reset();
  }

  #reset(): void {
    this.#state = State.tag;
    this.#varint = 0;
    this.#varintBytes = 0;
    this.#target = undefined;
    if (this.#groups.length > 0) this.#groups = [];
    this.#descriptor = undefined;
    this.#descriptorBytes = 0;
    this.#dataHeader = noBytes;
    this.#appMetadata = undefined;
  }

  /** Takes one more byte of a varint; true when it was the last, and the value is in #varint. */
  #readVarint(byte: number): boolean {
    // of the values that are skipped only the length counts, so a loss of precision above 2^53 does not matter
    this.#varint += (byte & 0x7f) * 2 ** (7 * this.#varintBytes);
    this.#varintBytes++;
    if (byte < 0x80) {
      this.#varintBytes = 0;
      return true;
    }
    if (this.#varintBytes === maxVarintBytes) {
      throw new FlightDataError(`a FlightData message has a varint of more than ${maxVarintBytes} bytes`);
    }
    return false;
  }

  /** @param left - bytes of the message behind the varint */
  #varintRead(left: number): void {
    const value = this.#varint;
    this.#varint = 0;
    if (this.#state === State.tag) this.#beginField(value, left);
    else if (this.#state === State.length) this.#beginBytes(value, left);
    else this.#state = State.tag;
  }

  #beginField(tag: number, left: number): void {
    const field = Math.floor(tag / 8);
    if (tag > maxTag || field === 0) throw new FlightDataError(`a FlightData message has the tag ${tag}`);
    this.#field = field;
    switch (tag % 8) {
      case WireType.bytes:
        this.#state = State.length;
        return;
      case WireType.varint:
        this.#state = State.skipVarint;
        return;
      case WireType.fixed64:
        this.#beginValue(8, left, undefined);
        return;
      case WireType.fixed32:
        this.#beginValue(4, left, undefined);
        return;
      case WireType.startGroup:
        if (this.#groups.length === maxProtobufGroupDepth) {
          throw new FlightDataError(
            `a FlightData message has more than ${maxProtobufGroupDepth} nested groups`,
          );
        }
        this.#groups.push(field);
        return;
      case WireType.endGroup:
        if (this.#groups.pop() !== field) {
          throw new FlightDataError(`a FlightData message ends the group ${field}, which has not begun`);
        }
        return;
      default:
        throw new FlightDataError(
          `a FlightData message has a field of wire type ${tag % 8}, which there is not`,
        );
    }
  }

  /** Takes memory for a field of bytes, as its length is known to be there. */
  #beginBytes(length: number, left: number): void {
    this.#checkLength(length, left);
    this.#beginValue(length, left, this.#groups.length > 0 ? undefined : this.#allocate(length));
  }

  #beginValue(length: number, left: number, target: Uint8Array | undefined): void {
    this.#checkLength(length, left);
    this.#valueLeft = length;
    this.#target = target;
    this.#state = length === 0 ? State.tag : State.value;
  }

  #checkLength(length: number, left: number): void {
    if (length <= left) return;
    throw new FlightDataError(
      `field ${this.#field} of a FlightData message states ${length} bytes, but ${left} are left of the message's ${this.#messageLength}`,
    );
  }

  /** Where the value of the field goes; undefined for fields that are not known. */
  #allocate(length: number): Uint8Array | undefined {
    this.#filled = 0;
    switch (this.#field) {
      case dataBodyField:
        this.#body?.release();
        this.#body = this.#pool.allocate(length);
        return this.#body.bytes;
      case dataHeaderField:
        this.#dataHeader = allocateBytes(length);
        return this.#dataHeader;
      case appMetadataField:
        this.#appMetadata = allocateBytes(length);
        return this.#appMetadata;
      case descriptorField:
        return this.#growDescriptor(length);
      default:
        return undefined;
    }
  }

  /** Room for one more part of the descriptor. Many small ones are not copied again with each of them. */
  #growDescriptor(length: number): Uint8Array {
    const before = this.#descriptor;
    const used = this.#descriptorBytes;
    this.#filled = used;
    this.#descriptorBytes = used + length;
    if (before !== undefined && before.byteLength >= used + length) return before;
    const grown = allocateBytes(before === undefined ? length : Math.max(used + length, 2 * used));
    if (before !== undefined) grown.set(before.subarray(0, used));
    this.#descriptor = grown;
    return grown;
  }

  #take(buffer: Uint8Array, start: number, end: number): void {
    const target = this.#target;
    if (target !== undefined) {
      let to = this.#filled;
      if (end - start > loopBytes) {
        target.set(new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start), to);
        to += end - start;
      } else {
        for (let from = start; from < end; from++) target[to++] = buffer[from] ?? 0;
      }
      this.#filled = to;
    }
    this.#valueLeft -= end - start;
    if (this.#valueLeft === 0) this.#state = State.tag;
  }
}

function allocateBytes(length: number): Uint8Array {
  if (length === 0) return noBytes;
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new FlightResourceExhaustedError(`cannot take ${length} bytes of memory for a FlightData field`, {
      cause,
    });
  }
}
