import { ReadableStream } from 'node:stream/web';
import { type RecordBatch, type Schema, Table } from 'apache-arrow';
import { FlightDataError, FlightResourceExhaustedError, locateError } from '../errors.ts';
import { maxMetadataBeforeSchemaBytes } from '../limits/stream.ts';
import { FlightBatchDecoder } from './batch-decoder.ts';
import { StreamChunk } from './chunk.ts';
import type { FlightStreamStats } from './stats.ts';
import type {
  FlightData,
  FlightDataSource,
  FlightReadOptions,
  FlightStreamChunk,
  FlightStreamReader,
} from './types.ts';

/** How a stream stands. */
type State =
  /** messages may come */
  | { readonly kind: 'open' }
  /** the peer ended it, or everything was given up without an error */
  | { readonly kind: 'ended' }
  /** the call failed, or a message could not be decoded */
  | { readonly kind: 'failed'; readonly error: unknown };

/** What {@link createStreamReader} can be told. */
export interface StreamReaderOptions extends FlightReadOptions {
  /** The call, for errors of the reader itself; see `FlightError.where`. Default: errors do not say. */
  readonly where?: string | undefined;
}

/**
 * Makes a reader over the receiving side of a call.
 *
 * @param source - the call; nobody else reads from it
 */
export function createStreamReader(
  source: FlightDataSource,
  options: StreamReaderOptions = {},
): FlightStreamReader {
  return new BatchStreamReader(source, options);
}

class BatchStreamReader implements FlightStreamReader {
  readonly #source: FlightDataSource;
  readonly #decoder: FlightBatchDecoder;
  readonly #where: string | undefined;
  /** Chunks that were decoded while something else was waited for, oldest first. */
  #queue: FlightStreamChunk[] = [];
  #queuedBytes = 0;
  /** The first message, while only its descriptor was looked at. */
  #peeked: FlightData | undefined;
  /** Whether the first message came. */
  #started = false;
  #firstDescriptor: Uint8Array | undefined;
  #state: State = { kind: 'open' };
  /** The wait for the next message, shared by everyone who waits. */
  #advancing: Promise<void> | undefined;
  #schema: Promise<Schema> | undefined;
  #descriptor: Promise<Uint8Array | undefined> | undefined;

  constructor(source: FlightDataSource, { where, ...options }: StreamReaderOptions) {
    this.#source = source;
    this.#where = where;
    this.#decoder = new FlightBatchDecoder(options);
  }

  get schema(): Promise<Schema> {
    if (this.#schema === undefined) {
      this.#schema = this.#waitForSchema();
      // Looking at the property must not end the process when nobody waits; reading tells the error as well.
      this.#schema.catch(() => undefined);
    }
    return this.#schema;
  }

  get descriptor(): Promise<Uint8Array | undefined> {
    if (this.#descriptor === undefined) {
      this.#descriptor = this.#waitForDescriptor();
      this.#descriptor.catch(() => undefined);
    }
    return this.#descriptor;
  }

  get stats(): FlightStreamStats {
    return this.#decoder.stats;
  }

  readNext(): Promise<FlightStreamChunk | undefined> {
    if (this.#advancing !== undefined || this.#peeked !== undefined) return this.#waitForChunk();
    const queued = this.#dequeue();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.#state.kind !== 'open') return this.#waitForChunk();
    // What has arrived already is taken without another turn of the event loop.
    for (let message = this.#source.tryRead(); message !== undefined; message = this.#source.tryRead()) {
      this.#take(message);
      const chunk = this.#dequeue();
      if (chunk !== undefined) return Promise.resolve(chunk);
      if (this.#state.kind !== 'open') break;
    }
    return this.#waitForChunk();
  }

  async readAll(): Promise<Table> {
    const batches: RecordBatch[] = [];
    for (let chunk = await this.readNext(); chunk !== undefined; chunk = await this.readNext()) {
      if (chunk.data !== undefined) batches.push(chunk.data);
    }
    return new Table(await this.schema, batches);
  }

  toReadableStream(): ReadableStream<RecordBatch> {
    return new ReadableStream<RecordBatch>(
      {
        pull: async (controller) => {
          for (;;) {
            const chunk = await this.readNext();
            if (chunk === undefined) {
              controller.close();
              return;
            }
            if (chunk.data === undefined) continue;
            controller.enqueue(chunk.data);
            return;
          }
        },
        cancel: (reason) => this.cancel(typeof reason === 'string' ? reason : undefined),
      },
      { highWaterMark: 0 },
    );
  }

  raw(): AsyncIterableIterator<FlightData> {
    return iterate(
      async () => {
        await this.#advancing;
        const peeked = this.#peeked;
        this.#peeked = undefined;
        if (peeked !== undefined) return peeked;
        if (this.#state.kind === 'ended') return undefined;
        const message = this.#state.kind === 'open' ? await this.#receive() : undefined;
        if (message === undefined) this.#throwIfFailed();
        return message;
      },
      () => this.cancel(),
    );
  }

  scoped(): AsyncIterableIterator<FlightStreamChunk> {
    let current: FlightStreamChunk | undefined;
    return iterate(
      async () => {
        current?.release();
        current = await this.readNext();
        return current;
      },
      () => {
        current?.release();
        this.cancel();
      },
    );
  }

  cancel(reason?: string): void {
    if (this.#state.kind !== 'open') return;
    for (const chunk of this.#queue) chunk.release();
    this.#queue = [];
    this.#peeked?.body?.release();
    this.#peeked = undefined;
    this.#source.cancel(reason);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<FlightStreamChunk> {
    return iterate(
      () => this.readNext(),
      () => this.cancel(),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    return Promise.resolve();
  }

  async #waitForChunk(): Promise<FlightStreamChunk | undefined> {
    for (;;) {
      const chunk = this.#dequeue();
      if (chunk !== undefined) return chunk;
      this.#throwIfFailed();
      if (this.#state.kind === 'ended') return undefined;
      await this.#advance();
    }
  }

  async #waitForSchema(): Promise<Schema> {
    for (;;) {
      const { schema } = this.#decoder;
      if (schema !== undefined) return schema;
      this.#throwIfFailed();
      if (this.#state.kind === 'ended') {
        throw locateError(
          new FlightDataError(
            'the stream ended without a schema: its sender sent no batches, only metadata or nothing',
          ),
          this.#where,
        );
      }
      if (this.#queuedBytes > maxMetadataBeforeSchemaBytes) {
        this.#fail(
          new FlightResourceExhaustedError(
            `${this.#queuedBytes} bytes of metadata came before the schema; the limit maxMetadataBeforeSchemaBytes is ${maxMetadataBeforeSchemaBytes}, read the chunks instead of waiting for the schema`,
          ),
        );
        this.#throwIfFailed();
      }
      await this.#advance();
    }
  }

  async #waitForDescriptor(): Promise<Uint8Array | undefined> {
    while (!this.#started && this.#state.kind === 'open') {
      this.#advancing ??= this.#peek().finally(() => {
        this.#advancing = undefined;
      });
      await this.#advancing;
    }
    if (!this.#started) this.#throwIfFailed();
    return this.#firstDescriptor;
  }

  /** Takes one more message; who comes while it is waited for waits for the same. */
  #advance(): Promise<void> {
    this.#advancing ??= this.#readOne().finally(() => {
      this.#advancing = undefined;
    });
    return this.#advancing;
  }

  async #readOne(): Promise<void> {
    const message = this.#peeked ?? (await this.#receive());
    this.#peeked = undefined;
    if (message !== undefined) this.#take(message);
  }

  /** Waits for the first message without decoding it. */
  async #peek(): Promise<void> {
    this.#peeked = await this.#receive();
    if (this.#peeked === undefined) return;
    this.#started = true;
    this.#firstDescriptor = this.#peeked.descriptor;
  }

  /** The next message; undefined when there is none, of which the state tells why. */
  async #receive(): Promise<FlightData | undefined> {
    try {
      const message = this.#source.tryRead() ?? (await this.#source.read());
      if (message === undefined && this.#state.kind === 'open') this.#state = { kind: 'ended' };
      return message;
    } catch (error) {
      if (this.#state.kind === 'open') this.#state = { kind: 'failed', error };
      return undefined;
    }
  }

  /** Decodes a message; what it holds for the reader goes into the queue. */
  #take(message: FlightData): void {
    if (!this.#started) {
      this.#started = true;
      this.#firstDescriptor = message.descriptor;
    }
    try {
      const decoded = this.#decoder.decode(message);
      if (decoded.kind === 'batch') {
        this.#queue.push(new StreamChunk(decoded.data, decoded.appMetadata, message.body));
      } else {
        if (decoded.kind !== 'dictionary') message.body?.release();
        // Metadata on a schema or dictionary is not given out, as Arrow C++ and Java do not: arrow-go sends the
        // metadata of a batch with the schema and the dictionaries before it as well.
        if (
          decoded.kind === 'metadata' &&
          decoded.appMetadata !== undefined &&
          decoded.appMetadata.byteLength > 0
        ) {
          this.#queue.push(new StreamChunk(undefined, decoded.appMetadata, undefined));
          this.#queuedBytes += decoded.appMetadata.byteLength;
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #dequeue(): FlightStreamChunk | undefined {
    if (this.#queue.length === 0) return undefined;
    const chunk = this.#queue.shift();
    if (this.#queue.length === 0) this.#queuedBytes = 0;
    return chunk;
  }

  #throwIfFailed(): void {
    if (this.#state.kind === 'failed') throw this.#state.error;
  }

  #fail(error: unknown): void {
    this.#state = { kind: 'failed', error: locateError(error, this.#where) };
    this.#source.cancel('a message could not be decoded');
  }
}

/** An iterator of what `next` gives until undefined; leaving early, or `next` failing, calls `leave`. */
function iterate<T>(next: () => Promise<T | undefined>, leave: () => void): AsyncIterableIterator<T> {
  let done = false;
  const iterator: AsyncIterableIterator<T> = {
    async next() {
      if (done) return { done: true, value: undefined };
      try {
        const value = await next();
        if (value !== undefined) return { done: false, value };
      } catch (error) {
        done = true;
        throw error;
      }
      done = true;
      return { done: true, value: undefined };
    },
    return() {
      if (!done) {
        done = true;
        leave();
      }
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
