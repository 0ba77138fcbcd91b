/** What an application gives a FlightServer: one object with a function for each RPC that it serves. */

import type { RecordBatch, Schema, Table } from 'apache-arrow';
import type {
  Action,
  ActionType,
  CancelFlightInfoRequest,
  CancelFlightInfoResult,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  PollInfo,
  Result,
  SchemaResult,
  Ticket,
} from '../model/index.ts';
import type { RecordBatchSource } from '../stream/record-batch-stream.ts';
import type { FlightDataStream, FlightStreamReader, FlightStreamWriter } from '../stream/types.ts';
import type { ServerAuthReader, ServerAuthSender } from '../auth/server-auth-handler.ts';
import type { ServerCallContext } from './context.ts';
import type { SessionHandlers } from './sessions/session-actions.ts';

/** A value now, or later. */
export type Awaitable<T> = T | Promise<T>;

/** Many values: a list, a generator, an asynchronous generator, or a promise of one of these. */
export type ManyOf<T> = Awaitable<Iterable<T> | AsyncIterable<T>>;

/**
 * What DoGet can send: a stream (RecordBatchStream, GeneratorStream, RawIpcStream, one of your own), or data that the
 * server makes one of. Batches that come without a schema take it from the first one, so there must be one.
 */
export type DoGetResult =
  | FlightDataStream
  | Table
  | RecordBatch
  | RecordBatchSource
  | Iterable<RecordBatch>
  | AsyncIterable<RecordBatch>;

/** One result of an action: a Result, or its body as bytes or text. */
export type ActionResult = Result | Uint8Array | string;

/** Results of an action: none, one, or many. */
export type ActionResults = ActionResult | Iterable<ActionResult> | AsyncIterable<ActionResult> | undefined;

/** Sends application metadata back to the client of a DoPut (pyarrow's `FlightMetadataWriter`). */
export interface FlightMetadataWriter {
  /** Sends one PutResult; text goes as UTF-8. Resolves when the transport has room again. */
  write(appMetadata: Uint8Array | string): Promise<void>;
}

/**
 * The functions that serve the RPCs. All are optional: an RPC without its function answers UNIMPLEMENTED. Whatever
 * they throw becomes the status of the call; a FlightError goes with its code, anything else as UNKNOWN.
 */
export interface FlightHandlers extends Partial<SessionHandlers> {
  /**
   * Serves Handshake by hand. Without it Handshake is served by the server's `authHandler` or `authenticators`, and
   * is UNIMPLEMENTED when there are none.
   */
  handshake?(
    incoming: ServerAuthReader,
    outgoing: ServerAuthSender,
    context: ServerCallContext,
  ): Awaitable<void>;
  /** Lists what can be had. `criteria` are bytes that client and server agree on; empty for everything. */
  listFlights?(criteria: Uint8Array, context: ServerCallContext): ManyOf<FlightInfo>;
  /** Says where and how the data of a descriptor can be had. */
  getFlightInfo?(descriptor: FlightDescriptor, context: ServerCallContext): Awaitable<FlightInfo>;
  /** Starts a long query, or tells how far it is: answers as soon as there is news. */
  pollFlightInfo?(descriptor: FlightDescriptor, context: ServerCallContext): Awaitable<PollInfo>;
  /** The schema of the data of a descriptor. */
  getSchema?(descriptor: FlightDescriptor, context: ServerCallContext): Awaitable<SchemaResult | Schema>;
  /** Sends the data of a ticket. */
  doGet?(ticket: Ticket, context: ServerCallContext): Awaitable<DoGetResult>;
  /**
   * Receives data. Read until the end unless the rest is not wanted; `writer` may be used at any time.
   *
   * @param descriptor - what the client calls the data
   * @param reader - the data; batches are validated before they are given out
   * @param writer - metadata for the client
   */
  doPut?(
    descriptor: FlightDescriptor,
    reader: FlightStreamReader,
    writer: FlightMetadataWriter,
    context: ServerCallContext,
  ): Awaitable<void>;
  /**
   * Receives and sends data at the same time. The call ends when the promise resolves.
   *
   * @param descriptor - what the client wants
   * @param reader - the client's data
   * @param writer - data for the client; begin it with a schema, or send metadata alone
   */
  doExchange?(
    descriptor: FlightDescriptor,
    reader: FlightStreamReader,
    writer: FlightStreamWriter,
    context: ServerCallContext,
  ): Awaitable<void>;
  /** Does anything else. Throw FlightUnimplementedError or FlightNotFoundError for actions that are not known. */
  doAction?(action: Action, context: ServerCallContext): Awaitable<ActionResults>;
  /** Lists the actions. Predefined ones that have a handler below are added by the server. */
  listActions?(context: ServerCallContext): ManyOf<ActionType>;

  // predefined actions: served through DoAction and listed in ListActions when they are here

  /** `CancelFlightInfo`: stops the work behind a FlightInfo. */
  cancelFlightInfo?(
    request: CancelFlightInfoRequest,
    context: ServerCallContext,
  ): Awaitable<CancelFlightInfoResult>;
  /** `RenewFlightEndpoint`: extends the life of an endpoint; answers with the endpoint to use from now on. */
  renewFlightEndpoint?(endpoint: FlightEndpoint, context: ServerCallContext): Awaitable<FlightEndpoint>;
}
