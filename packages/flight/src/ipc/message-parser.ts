import { FlightDataError, FlightResourceExhaustedError } from '../errors.ts';
import { maxIpcBodyBytes, maxIpcHeaderBytes } from '../limits/ipc.ts';
import { allocate } from './allocate.ts';
import { decodeMessageHeader } from './decode/message.ts';
import { emptyBytes } from './empty.ts';
import type { IpcMessage, MessageHeader } from './message.ts';

/*
 * stream  := message*, end
 * message := 0xFFFFFFFF, int32 header length, header (flatbuffer, padded to 8), body (bodyLength bytes of the header)
 *          | int32 header length, header, body                  (before Arrow 0.15)
 * end     := 0xFFFFFFFF, int32 0 | int32 0 | nothing
 */

const continuation = 0xffff_ffff;

/** Where the parser stands; each state waits for a number of bytes. */
type State =
  /** 4 bytes: the continuation token, or the length of the old form */
  | { readonly kind: 'start' }
  /** 4 bytes: the length of the header */
  | { readonly kind: 'length' }
  | { readonly kind: 'header' }
  | { readonly kind: 'body'; readonly header: Uint8Array; readonly message: MessageHeader }
  /** the end was marked; what follows is not looked at */
  | { readonly kind: 'end' };

/**
 * Cuts the bytes of an IPC stream into messages, in whatever pieces they come. A header or body that lies within one
 * piece is a view on it; one that is spread over several is put together once, in memory of its exact size.
 */
export class IpcMessageParser {
  #state: State = { kind: 'start' };
  #needed = 4;
  #chunk: Uint8Array = emptyBytes;
  #position = 0;
  /** Memory for what is being put together, and how much of it is there. */
  #partial: Uint8Array | undefined;
  #filled = 0;

  /** Whether the mark for the end of the stream was read. */
  get ended(): boolean {
    return this.#state.kind === 'end';
  }

  /**
   * Takes the next piece. All messages of the piece before must have been taken by {@link IpcMessageParser.next}. The
   * messages may be views on it, so its memory belongs to them.
   */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#position = 0;
  }

  /**
   * The next complete message; undefined when more bytes are needed, or the stream has ended.
   *
   * @throws FlightDataError when the bytes are no Arrow IPC stream
   * @throws FlightResourceExhaustedError for a header or body above its limit
   */
  next(): IpcMessage | undefined {
    for (;;) {
      const state = this.#state;
      if (state.kind === 'end') return undefined;
      const bytes = this.#take();
      if (bytes === undefined) return undefined;
      switch (state.kind) {
        case 'start': {
          const word = uint32(bytes);
          if (word === continuation) this.#enter({ kind: 'length' }, 4);
          else this.#enterHeader(word);
          break;
        }
        case 'length':
          this.#enterHeader(uint32(bytes));
          break;
        case 'header': {
          const message = decodeMessageHeader(bytes);
          if (message.bodyLength > maxIpcBodyBytes) {
            throw new FlightResourceExhaustedError(
              `a message of the stream has a body of ${message.bodyLength} bytes; the limit maxIpcBodyBytes is ${maxIpcBodyBytes}`,
            );
          }
          this.#enter({ kind: 'body', header: bytes, message }, message.bodyLength);
          break;
        }
        case 'body':
          this.#enter({ kind: 'start' }, 4);
          return { header: state.header, message: state.message, body: bytes };
      }
    }
  }

  /**
   * Says that no more bytes come.
   *
   * @throws FlightDataError when the stream ends within a message
   */
  finish(): void {
    const { kind } = this.#state;
    if (kind === 'end' || (kind === 'start' && this.#filled === 0)) return;
    throw new FlightDataError(
      `the stream ends within a message: ${this.#filled} of the ${this.#needed} bytes of its ${kind} are there`,
    );
  }

  #enter(state: State, needed: number): void {
    this.#state = state;
    this.#needed = needed;
  }

  #enterHeader(length: number): void {
    if (length === 0) {
      this.#enter({ kind: 'end' }, 0);
      return;
    }
    if (length > 0x7fff_ffff) {
      throw new FlightDataError(
        `a header of ${length} bytes is stated, which is no length of the format; is this an Arrow IPC stream?`,
      );
    }
    if (length > maxIpcHeaderBytes) {
      throw new FlightResourceExhaustedError(
        `a header of ${length} bytes is stated; the limit maxIpcHeaderBytes is ${maxIpcHeaderBytes}. Is this an Arrow IPC stream?`,
      );
    }
    this.#enter({ kind: 'header' }, length);
  }

  /** The bytes that the state waits for; undefined when they are not all there yet. */
  #take(): Uint8Array | undefined {
    const needed = this.#needed;
    const there = this.#chunk.byteLength - this.#position;
    if (this.#filled === 0 && there >= needed) {
      const bytes = this.#chunk.subarray(this.#position, this.#position + needed);
      this.#position += needed;
      return bytes;
    }
    if (there === 0) return undefined;
    this.#partial ??= allocate(needed, 'a message part');
    const count = Math.min(there, needed - this.#filled);
    this.#partial.set(this.#chunk.subarray(this.#position, this.#position + count), this.#filled);
    this.#position += count;
    this.#filled += count;
    if (this.#filled < needed) return undefined;
    const bytes = this.#partial;
    this.#partial = undefined;
    this.#filled = 0;
    return bytes;
  }
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
