/**
 * Reads all endpoints of a FlightInfo as one stream. Each endpoint has a worker that holds one chunk ready; up to
 * `maxParallel` are open at the same time. `ordered` takes from the oldest worker until it is empty, otherwise
 * whoever has a chunk comes next.
 */

import { type RecordBatch, Schema, Table } from 'apache-arrow';
import type { FlightEndpoint } from '../model/flight-endpoint.ts';
import type { FlightInfo } from '../model/flight-info.ts';
import type { FlightStreamChunk } from '../stream/types.ts';
import { adoptChunk, adoptSchema, adoptStream, checkSameSchema } from './adopt-schema.ts';
import {
  beginEndpointRun,
  type EndpointContext,
  type EndpointStream,
  openPlace,
  withFailover,
} from './endpoint-stream.ts';
import type { EndpointsReader } from './flight-client.ts';
import type { ReadEndpointsOptions } from './options.ts';

interface Worker {
  /** The chunk that is held ready; undefined at the end of the endpoint. */
  ready: Promise<FlightStreamChunk | undefined>;
  stream: EndpointStream | undefined;
}

/** Begins to read; see {@link FlightClient.readEndpoints}. */
export function readEndpoints(
  context: EndpointContext,
  info: FlightInfo,
  options: ReadEndpointsOptions,
): EndpointsReader {
  const run = beginEndpointRun(context, options);
  const waiting = [...info.endpoints];
  const workers: Worker[] = [];
  // only without an order: workers whose chunk is there, and who waits for the next one
  const arrived: Worker[] = [];
  let wake: (() => void) | undefined;
  let commonSchema: Schema | undefined;
  let onSchema: { resolve(schema: Schema): void; reject(error: unknown): void } | undefined;
  const schema = new Promise<Schema>((resolve, reject) => {
    onSchema = { resolve, reject };
  });
  schema.catch(() => undefined);

  const open = async (worker: Worker, endpoint: FlightEndpoint): Promise<FlightStreamChunk | undefined> => {
    const { stream, first } = await withFailover(run, endpoint, async (place) => {
      const opened = await openPlace(run, endpoint, place);
      try {
        return { stream: opened, first: await opened.next() };
      } catch (error) {
        opened.close();
        throw error;
      }
    });
    if (commonSchema === undefined) {
      commonSchema = stream.schema;
      onSchema?.resolve(commonSchema);
    }
    worker.stream = adoptStream(stream, commonSchema);
    checkSameSchema(commonSchema, stream.schema);
    return first === undefined ? undefined : adoptChunk(first, commonSchema);
  };
  const hold = (worker: Worker, chunk: Promise<FlightStreamChunk | undefined>): void => {
    worker.ready = chunk;
    const arrive = (): void => {
      if (!info.ordered) arrived.push(worker);
      wake?.();
    };
    chunk.then(arrive, arrive);
  };
  const fill = (): void => {
    while (workers.length < run.maxParallel) {
      const endpoint = waiting.shift();
      if (endpoint === undefined) return;
      const worker: Worker = { ready: Promise.resolve(undefined), stream: undefined };
      workers.push(worker);
      hold(worker, open(worker, endpoint));
    }
  };
  const nextWorker = async (): Promise<Worker | undefined> => {
    if (info.ordered || workers.length === 0) return workers[0];
    while (arrived.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return arrived.shift();
  };
  const closeAll = (): void => {
    for (const worker of workers) {
      worker.stream?.close();
      // one that is being opened closes when it has found out that the run was stopped
      worker.ready.then(
        () => worker.stream?.close(),
        () => worker.stream?.close(),
      );
    }
  };

  async function* iterate(): AsyncGenerator<FlightStreamChunk, void, undefined> {
    try {
      for (;;) {
        const worker = await nextWorker();
        if (worker === undefined) break;
        const chunk = await worker.ready;
        if (chunk !== undefined) {
          if (worker.stream !== undefined) hold(worker, worker.stream.next());
          yield chunk;
        } else {
          worker.stream?.close();
          workers.splice(workers.indexOf(worker), 1);
          fill();
        }
      }
    } catch (error) {
      onSchema?.reject(error);
      throw error;
    } finally {
      waiting.length = 0;
      run.stop('the rest of the endpoints is not needed');
      closeAll();
    }
  }
  const chunks = iterate();
  const leave = async (): Promise<void> => {
    reader.cancel('the caller left the loop');
    await chunks.return();
  };
  const reader: EndpointsReader = {
    schema,
    async readNext(): Promise<FlightStreamChunk | undefined> {
      const { done, value } = await chunks.next();
      return done === true ? undefined : value;
    },
    async readAll(): Promise<Table> {
      const batches: RecordBatch[] = [];
      for await (const { data } of chunks) if (data !== undefined) batches.push(data);
      return tableOf(commonSchema ?? info.schema, batches);
    },
    async *scoped(): AsyncGenerator<FlightStreamChunk, void, undefined> {
      for await (const chunk of reader) {
        yield chunk;
        chunk.release();
      }
    },
    cancel(reason = 'the caller gave up'): void {
      run.stop(reason);
      // who still reads hears of it; connections go back also when nobody does
      closeAll();
    },
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
  fill();
  if (workers.length === 0) onSchema?.resolve(info.schema ?? new Schema([]));
  return reader;
}

/** The table of batches from several endpoints, in the order given. */
export function tableOf(schema: Schema = new Schema([]), batches: readonly RecordBatch[] = []): Table {
  return new Table(
    schema,
    batches.map((batch) => adoptSchema(batch, schema)),
  );
}
