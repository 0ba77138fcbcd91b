/** A server and a raw gRPC channel to it: the tests of the server do not need our client. */

import { Int32, makeVector, type RecordBatch, Table, vectorFromArray } from 'apache-arrow';
import {
  BytesDecoder,
  bytesMessage,
  createChannel,
  type GrpcCallOptions,
  type GrpcChannel,
  type GrpcChannelOptions,
  type GrpcClientCall,
  Metadata,
  type MetadataInit,
} from '../../src/grpc/index.ts';
import { Action, FlightDescriptor, type Location, Result, Ticket } from '../../src/model/index.ts';
import { FlightDataDecoder } from '../../src/proto/flight-data-decoder.ts';
import { type FlightMethod, flightMethodPath } from '../../src/proto/names.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import type { FlightServerOptions } from '../../src/server/options.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { createStreamReader } from '../../src/stream/reader.ts';
import type { FlightData, FlightStreamReader, FlightStreamWriter } from '../../src/stream/types.ts';
import { createStreamWriter } from '../../src/stream/writer.ts';

/** A channel to a location of a server. */
export function channelTo(location: Location | undefined, options: GrpcChannelOptions = {}): GrpcChannel {
  if (location === undefined) throw new Error('the server does not listen');
  return createChannel(
    location.scheme === 'grpc+unix'
      ? { kind: 'unix', path: location.path }
      : { kind: location.scheme === 'grpc+tls' ? 'tls' : 'tcp', host: location.host, port: location.port },
    // a busy machine lets a process wait for longer than the limit is
    { connectTimeoutMs: 300_000, ...options },
  );
}

/** What one test has. */
export interface Running extends AsyncDisposable {
  readonly server: FlightServer;
  readonly channel: GrpcChannel;
}

/** Starts a server and a channel to it; both end with the `await using` of the test. */
export async function start(
  handlers: FlightHandlers,
  options: FlightServerOptions = {},
  location = 'grpc+tcp://127.0.0.1:0',
  channelOptions: GrpcChannelOptions = {},
): Promise<Running> {
  const server = new FlightServer(handlers, options);
  await server.listen(location);
  const channel = channelTo(server.locations[0], channelOptions);
  return {
    server,
    channel,
    async [Symbol.asyncDispose]() {
      await channel.close(0);
      await server.shutdown({ graceMs: 0 });
    },
  };
}

/** Options of a call with these headers. */
export function withHeaders(headers: MetadataInit): GrpcCallOptions {
  return { metadata: Metadata.from(headers) };
}

/** Calls a method with one request and gives all its responses. */
export async function request(
  channel: GrpcChannel,
  method: FlightMethod,
  bytes: Uint8Array,
  options?: GrpcCallOptions,
): Promise<Uint8Array[]> {
  const call = channel.call(flightMethodPath(method), () => new BytesDecoder(), options);
  call.write(bytesMessage(bytes));
  call.end();
  const responses: Uint8Array[] = [];
  for (let next = await call.read(); next !== undefined; next = await call.read()) responses.push(next);
  return responses;
}

/** Does an action; the bodies of its results as text. */
export async function action(
  channel: GrpcChannel,
  type: string,
  body: string | Uint8Array = '',
  options?: GrpcCallOptions,
): Promise<string[]> {
  const responses = await request(channel, 'DoAction', new Action(type, body).serialize(), options);
  return responses.map((bytes) => Buffer.from(Result.deserialize(bytes).body).toString());
}

/** A DoGet that has begun. */
export function get(
  channel: GrpcChannel,
  ticket: string,
  options?: GrpcCallOptions,
): { readonly call: GrpcClientCall<FlightData>; readonly reader: FlightStreamReader } {
  const call = channel.call(flightMethodPath('DoGet'), () => new FlightDataDecoder(), options);
  call.write(bytesMessage(new Ticket(ticket).serialize()));
  call.end();
  return { call, reader: createStreamReader(call) };
}

/** A DoPut that has begun. */
export function put(
  channel: GrpcChannel,
  descriptor: FlightDescriptor = FlightDescriptor.forPath('x'),
  options?: GrpcCallOptions,
): { readonly call: GrpcClientCall<Uint8Array>; readonly writer: FlightStreamWriter } {
  const call = channel.call(flightMethodPath('DoPut'), () => new BytesDecoder(), options);
  return { call, writer: createStreamWriter(call, { descriptor: descriptor.serialize() }) };
}

/** A DoExchange that has begun. */
export function exchange(
  channel: GrpcChannel,
  descriptor: FlightDescriptor = FlightDescriptor.forCommand('x'),
  options?: GrpcCallOptions,
): {
  readonly call: GrpcClientCall<FlightData>;
  readonly reader: FlightStreamReader;
  readonly writer: FlightStreamWriter;
} {
  const call = channel.call(flightMethodPath('DoExchange'), () => new FlightDataDecoder(), options);
  return {
    call,
    reader: createStreamReader(call),
    writer: createStreamWriter(call, { descriptor: descriptor.serialize() }),
  };
}

/** Column x with these values. */
export function numbers(...values: readonly number[]): Table<{ x: Int32 }> {
  return new Table({ x: vectorFromArray(values, new Int32()) });
}

/** The one batch of {@link numbers}. */
export function batchOf(...values: readonly number[]): RecordBatch<{ x: Int32 }> {
  return firstBatch(numbers(...values));
}

/** A batch of many rows: 0, 1, 2, … */
export function batchOfRows(rows: number): RecordBatch<{ x: Int32 }> {
  return firstBatch(new Table({ x: makeVector(Int32Array.from({ length: rows }, (_item, index) => index)) }));
}

function firstBatch(table: Table<{ x: Int32 }>): RecordBatch<{ x: Int32 }> {
  const [batch] = table.batches;
  if (batch === undefined) throw new Error('a table of values has a batch');
  return batch;
}

/** Column x of a table. */
export function valuesOf(table: Table): unknown[] {
  return [...(table.getChild('x') ?? [])];
}

/** Waits, a turn of the event loop at a time, until something is so. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 300_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited for 5 minutes until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
