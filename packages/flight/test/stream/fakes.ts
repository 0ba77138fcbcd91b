import { FlightCancelledError } from '../../src/errors.ts';
import { encodeFlightData } from '../../src/proto/flight-data.ts';
import type {
  FlightData,
  FlightDataBody,
  FlightDataSink,
  FlightDataSource,
  OutgoingMessage,
} from '../../src/stream/types.ts';

/** Memory of a body that tells whether it was released, and spoils it then. */
export class FakeBody implements FlightDataBody {
  readonly bytes: Uint8Array;
  released = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  release(): void {
    this.released += 1;
    this.bytes.fill(0xdb);
  }
}

/** Takes a message apart again: protobuf as a receiver would see it. */
export function parse(message: OutgoingMessage): FlightData & { readonly body: FakeBody } {
  const bytes = new Uint8Array(Buffer.concat(message.pieces));
  const fields = new Map<number, Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.byteLength) {
    const field = varint() >>> 3;
    const length = varint();
    fields.set(field, bytes.slice(at, at + length));
    at += length;
  }
  const body = new FakeBody(fields.get(1000) ?? new Uint8Array(0));
  return {
    descriptor: fields.get(1),
    dataHeader: fields.get(2) ?? new Uint8Array(0),
    appMetadata: fields.get(3),
    dataBody: body.bytes,
    body,
  };
}

/** A sink that keeps what it got, and may be full after each message. */
export class FakeSink implements FlightDataSink {
  readonly messages: OutgoingMessage[] = [];
  ended = false;
  /** How many messages it takes before somebody has to wait. */
  room: number = Number.POSITIVE_INFINITY;
  error: Error | undefined;
  waits = 0;

  write(message: OutgoingMessage): boolean {
    if (this.error !== undefined) throw this.error;
    this.messages.push(message);
    return this.messages.length < this.room;
  }

  drained(): Promise<void> {
    this.waits += 1;
    if (this.error !== undefined) return Promise.reject(this.error);
    return new Promise((resolve) => setImmediate(resolve));
  }

  end(): void {
    this.ended = true;
  }
}

/** A source of given messages. With `late`, none is there before somebody waits for it. */
export class FakeSource implements FlightDataSource {
  readonly #messages: FlightData[];
  readonly #late: boolean;
  cancelled: string | undefined;
  isCancelled = false;
  /** What the call fails with after the last message. */
  error: Error | undefined;
  /** Whether the call stays open after the last message. */
  open = false;
  #waiting: ((error: Error) => void) | undefined;

  constructor(messages: readonly FlightData[], late = false) {
    this.#messages = [...messages];
    this.#late = late;
  }

  tryRead(): FlightData | undefined {
    return this.#late ? undefined : this.#messages.shift();
  }

  async read(): Promise<FlightData | undefined> {
    if (this.isCancelled) throw new FlightCancelledError('the call was cancelled');
    await new Promise((resolve) => setImmediate(resolve));
    // Cancelled in the meantime.
    if (this.isCancelled) throw new FlightCancelledError('the call was cancelled');
    const message = this.#messages.shift();
    if (message !== undefined) return message;
    if (this.error !== undefined) throw this.error;
    if (!this.open) return undefined;
    return new Promise((_, reject) => {
      this.#waiting = reject;
    });
  }

  cancel(reason?: string): void {
    this.isCancelled = true;
    this.cancelled = reason;
    this.#messages.length = 0;
    this.#waiting?.(new FlightCancelledError('the call was cancelled'));
  }
}

/** A message that only has metadata. */
export function metadata(text: string): FlightData {
  return parse(encodeFlightData({ appMetadata: new TextEncoder().encode(text) }));
}

/** A text of bytes. */
export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
