/**
 * Reads all endpoints of a FlightInfo as one stream. Each endpoint has a worker that holds one chunk ready; up to
 * `maxParallel` are open at the same time. `ordered` takes from the oldest worker until it is empty, otherwise
 * whoever has a chunk comes next.
 */

import { type RecordBatch, Schema, Table } from 'apache-arrow';
import { FlightCancelledError } from '../errors.ts';
import type { FlightEndpoint } from '../model/flight-endpoint.ts';
import type { FlightInfo } from '../model/flight-info.ts';
import type { FlightStreamChunk } from '../stream/types.ts';
import { adoptChunk, adoptSchema, adoptStream, checkSameSchema } from './adopt-schema.ts';
import {
  beginEndpointRun,
  type EndpointContext,
  type EndpointRun,
  type EndpointStream,
  openPlace,
  withFailover,
} from './endpoint-stream.ts';
import type { EndpointsReader } from './flight-client.ts';
import type { ReadEndpointsOptions } from './options.ts';

/** Begins to read; see {@link FlightClient.readEndpoints}. */
export function readEndpoints(
  context: EndpointContext,
  info: FlightInfo,
  options: ReadEndpointsOptions,
): EndpointsReader {
  const run = beginEndpointRun(context, info, options);
  const workers = new EndpointWorkers(run, info);

  async function* iterate(): AsyncGenerator<FlightStreamChunk, void, undefined> {
    try {
      for (;;) {
        const chunk = await workers.next();
        if (chunk === undefined) return;
        yield chunk;
      }
    } finally {
      workers.close('the rest of the endpoints is not needed');
    }
  }
  const chunks = iterate();
  const leave = async (): Promise<void> => {
    workers.close('the caller left the loop');
    await chunks.return();
  };
  const reader: EndpointsReader = {
    schema: workers.schema,
    async readNext(): Promise<FlightStreamChunk | undefined> {
      const { done, value } = await chunks.next();
      return done === true ? undefined : value;
    },
    async readAll(): Promise<Table> {
      const batches: RecordBatch[] = [];
      for await (const { data } of chunks) if (data !== undefined) batches.push(data);
      return tableOf(workers.knownSchema ?? info.schema, batches);
    },
    async *scoped(): AsyncGenerator<FlightStreamChunk, void, undefined> {
      for await (const chunk of reader) {
        yield chunk;
        chunk.release();
      }
    },
    // who still reads hears of it; connections go back also when nobody does
    cancel: (reason = 'the caller gave up') => workers.close(reason),
    [Symbol.asyncIterator](): AsyncIterator<FlightStreamChunk> {
      return {
        next: () => chunks.next(),
        async return(): Promise<IteratorResult<FlightStreamChunk>> {
          await leave();
          return { done: true, value: undefined };
        },
      };
    },
    [Symbol.asyncDispose]: leave,
  };
  return reader;
}

/** An endpoint that is open, or being opened. */
interface Worker {
  /** The chunk that is held ready; undefined at the end of the endpoint. */
  ready: Promise<FlightStreamChunk | undefined>;
  stream: EndpointStream | undefined;
}

/** The endpoints that are open, and those that wait for their turn. */
class EndpointWorkers {
  /** The schema of the first endpoint that answers; rejects when one fails before. */
  readonly schema: Promise<Schema>;
  readonly #run: EndpointRun;
  readonly #ordered: boolean;
  readonly #waiting: FlightEndpoint[];
  readonly #workers: Worker[] = [];
  /** Only without an order: workers whose chunk is there. */
  readonly #arrived: Worker[] = [];
  /** Who waits for the next of them. */
  #wake: (() => void) | undefined;
  #knownSchema: Schema | undefined;
  /** Why endpoints that had not been opened never will be. */
  #cutOff: FlightCancelledError | undefined;
  #onSchema: { resolve(schema: Schema): void; reject(error: unknown): void } | undefined;

  constructor(run: EndpointRun, info: FlightInfo) {
    this.#run = run;
    this.#ordered = info.ordered;
    this.#waiting = [...info.endpoints];
    this.schema = new Promise<Schema>((resolve, reject) => {
      this.#onSchema = { resolve, reject };
    });
    this.schema.catch(() => undefined);
    this.#fill();
    if (this.#workers.length === 0) this.#onSchema?.resolve(info.schema ?? new Schema([]));
  }

  /** The schema, once it is there. */
  get knownSchema(): Schema | undefined {
    return this.#knownSchema;
  }

  /** The next chunk; undefined when all endpoints have ended. */
  async next(): Promise<FlightStreamChunk | undefined> {
    for (;;) {
      const worker = await this.#nextWorker();
      if (worker === undefined) {
        // what has come is not all, and must not look like it
        if (this.#cutOff !== undefined) throw this.#cutOff;
        return undefined;
      }
      const chunk = await worker.ready;
      if (chunk !== undefined) {
        if (worker.stream !== undefined) this.#hold(worker, worker.stream.next());
        return chunk;
      }
      worker.stream?.close();
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      this.#fill();
    }
  }

  /** Gives everything up that is open. */
  close(reason: string): void {
    if (this.#waiting.length > 0) this.#cutOff = new FlightCancelledError(reason);
    this.#waiting.length = 0;
    this.#run.stop(reason);
    for (const worker of this.#workers) {
      const close = (): void => worker.stream?.close();
      close();
      // one that is being opened closes when it has found out that the run was stopped
      worker.ready.then(close, close);
    }
  }

  #fill(): void {
    while (this.#workers.length < this.#run.maxParallel) {
      const endpoint = this.#waiting.shift();
      if (endpoint === undefined) return;
      const worker: Worker = { ready: Promise.resolve(undefined), stream: undefined };
      this.#workers.push(worker);
      this.#hold(worker, this.#open(worker, endpoint));
    }
  }

  async #open(worker: Worker, endpoint: FlightEndpoint): Promise<FlightStreamChunk | undefined> {
    const { stream, first } = await withFailover(this.#run, endpoint, async (place) => {
      const opened = await openPlace(this.#run, endpoint, place);
      try {
        return { stream: opened, first: await opened.next() };
      } catch (error) {
        opened.close();
        throw error;
      }
    });
    this.#knownSchema ??= stream.schema;
    this.#onSchema?.resolve(this.#knownSchema);
    worker.stream = adoptStream(stream, this.#knownSchema);
    checkSameSchema(this.#knownSchema, stream.schema);
    return first === undefined ? undefined : adoptChunk(first, this.#knownSchema);
  }

  #hold(worker: Worker, chunk: Promise<FlightStreamChunk | undefined>): void {
    worker.ready = chunk;
    const arrive = (): void => {
      if (!this.#ordered) this.#arrived.push(worker);
      this.#wake?.();
    };
    chunk.then(arrive, (error: unknown) => {
      // who asks for the schema alone hears of it here
      this.#onSchema?.reject(error);
      arrive();
    });
  }

  async #nextWorker(): Promise<Worker | undefined> {
    if (this.#ordered || this.#workers.length === 0) return this.#workers[0];
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#arrived.shift();
  }
}

/** The table of batches from several endpoints, in the order given. */
export function tableOf(schema: Schema = new Schema([]), batches: readonly RecordBatch[] = []): Table {
  return new Table(
    schema,
    batches.map((batch) => adoptSchema(batch, schema)),
  );
}
