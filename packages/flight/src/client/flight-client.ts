import type { Action } from '../model/action.ts';
import type { ActionType } from '../model/action-type.ts';
import type { CancelFlightInfoRequest, CancelFlightInfoResult } from '../model/cancel-flight-info.ts';
import type { CloseSessionResult } from '../model/close-session.ts';
import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import type { FlightEndpoint } from '../model/flight-endpoint.ts';
import type { FlightInfo } from '../model/flight-info.ts';
import type { Location } from '../model/location.ts';
import type { PollInfo } from '../model/poll-info.ts';
import type { Result } from '../model/result.ts';
import type { SchemaResult } from '../model/schema-result.ts';
import type { SessionOptions, SessionOptionValue } from '../model/session-option-value.ts';
import type { SetSessionOptionsResult } from '../model/set-session-options.ts';
import type { Ticket } from '../model/ticket.ts';
import type { Schema, Table } from 'apache-arrow';
import type { ClientAuthHandler } from '../auth/client-auth-handler.ts';
import type { FlightStreamChunk, FlightStreamReader, FlightStreamWriter } from '../stream/types.ts';
import type {
  BasicTokenOptions,
  DoActionOptions,
  FlightCallOptions,
  GetFlightInfoOptions,
  ReadEndpointsOptions,
} from './options.ts';

/**
 * Results of a call, one after the other. The call has already begun when you get this. Leaving a loop early cancels
 * it, and so does {@link FlightResults.cancel}.
 */
export interface FlightResults<T> extends AsyncIterableIterator<T>, AsyncDisposable {
  /** Reads all that are left. */
  toArray(): Promise<T[]>;
  /** Gives up; the server sees the call cancelled. Does nothing at the end. */
  cancel(reason?: string): void;
  [Symbol.asyncIterator](): FlightResults<T>;
  /** The next result; `done` at the end. Rejects with the FlightError of the call. */
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the iteration and cancels the call; what a loop that is left early calls. */
  return(): Promise<IteratorResult<T, undefined>>;
}

/**
 * What the server answers during a DoPut (pyarrow's `FlightMetadataReader`). Leaving a loop over it leaves the upload
 * alone: the next loop goes on where this one ended.
 */
export interface FlightMetadataReader extends AsyncIterable<Uint8Array> {
  /** The next answer's application metadata; undefined when the server has ended the call. */
  read(): Promise<Uint8Array | undefined>;
}

/** Both directions of a DoPut. */
export interface DoPutCall extends AsyncDisposable {
  /** Sends the data. */
  readonly writer: FlightStreamWriter;
  /** What the server answers meanwhile. */
  readonly reader: FlightMetadataReader;
  /** Gives up; the server sees the call cancelled. */
  cancel(reason?: string): void;
}

/** Both directions of a DoExchange. */
export interface DoExchangeCall extends AsyncDisposable {
  /** Sends data. */
  readonly writer: FlightStreamWriter;
  /** The data that the server sends. */
  readonly reader: FlightStreamReader;
  /** Gives up; the server sees the call cancelled. */
  cancel(reason?: string): void;
}

/** The data of all endpoints of a FlightInfo. Iterating it gives chunks; leaving the loop early cancels all calls. */
export interface EndpointsReader extends AsyncIterable<FlightStreamChunk>, AsyncDisposable {
  /** The schema of the data, from the endpoint that answers first. Rejects when reading fails before. */
  readonly schema: Promise<Schema>;
  /** The next chunk; undefined at the end. */
  readNext(): Promise<FlightStreamChunk | undefined>;
  /** Reads what is left into a table. Metadata is dropped. */
  readAll(): Promise<Table>;
  /** Like iterating the reader, but each chunk is valid only until the next is asked for: its memory is used again. */
  scoped(): AsyncIterableIterator<FlightStreamChunk>;
  /** Gives up; the servers see their calls cancelled. Does nothing at the end. */
  cancel(reason?: string): void;
}

/**
 * A client of one Flight service; made by {@link connect}. It connects when the first call is made, connects again
 * when the connection is lost, and may be used for any number of calls at once.
 *
 * All errors are FlightErrors and name the method and location. Calls that return a stream have begun when they
 * return; their first error comes with the first value that is awaited.
 */
export interface FlightClient extends AsyncDisposable {
  /** Where the service is. */
  readonly location: Location;

  /**
   * Waits until the service can be reached, trying again as long as it takes.
   *
   * @param options - `timeoutMs` is the longest wait; default: `defaultAvailableTimeoutMs` of `limits/`
   * @throws FlightError of the last try when the time is over
   */
  waitForAvailable(options?: Pick<FlightCallOptions, 'timeoutMs' | 'signal'>): Promise<void>;
  /**
   * Logs in by handshake; the handler's token goes with all later calls.
   *
   * @param handler - default: the one of the client's options
   */
  authenticate(handler?: ClientAuthHandler, options?: FlightCallOptions): Promise<void>;
  /**
   * Logs in with name and password and receives a Bearer token.
   *
   * @returns the header to send with later calls
   */
  authenticateBasicToken(
    username: string,
    password: string,
    options?: BasicTokenOptions,
  ): Promise<readonly [name: 'authorization', value: string]>;

  /** Lists what can be had. `criteria` are bytes that the server understands; text goes as UTF-8. */
  listFlights(criteria?: Uint8Array | string, options?: FlightCallOptions): FlightResults<FlightInfo>;
  /** Asks where and how the data of a descriptor can be had. */
  getFlightInfo(descriptor: FlightDescriptor, options?: GetFlightInfoOptions): Promise<FlightInfo>;
  /** Starts a long query, or asks how far it is: call it again with the descriptor of the answer until there is none. */
  pollFlightInfo(descriptor: FlightDescriptor, options?: GetFlightInfoOptions): Promise<PollInfo>;
  /** Asks for the schema of the data of a descriptor. */
  getSchema(descriptor: FlightDescriptor, options?: FlightCallOptions): Promise<SchemaResult>;
  /** Fetches the data of a ticket from this service; bytes are the ticket's, text goes as UTF-8. */
  doGet(ticket: Ticket | Uint8Array | string, options?: FlightCallOptions): FlightStreamReader;
  /** Sends data. */
  doPut(descriptor: FlightDescriptor, options?: FlightCallOptions): DoPutCall;
  /** Sends and receives data at the same time. */
  doExchange(descriptor: FlightDescriptor, options?: FlightCallOptions): DoExchangeCall;
  /** Lists the actions of the service. */
  listActions(options?: FlightCallOptions): FlightResults<ActionType>;
  /** Does an action; a string is an action without a body. */
  doAction(action: Action | string, options?: DoActionOptions): FlightResults<Result>;

  /** Stops the work behind a FlightInfo. */
  cancelFlightInfo(
    request: CancelFlightInfoRequest | FlightInfo,
    options?: FlightCallOptions,
  ): Promise<CancelFlightInfoResult>;
  /** Extends the life of an endpoint; use the answer from now on. */
  renewFlightEndpoint(endpoint: FlightEndpoint, options?: FlightCallOptions): Promise<FlightEndpoint>;
  /**
   * Sets options of the session; null or undefined takes an option out. Sessions need the cookie middleware.
   *
   * @returns the options that could not be set, by name; empty when all went well
   */
  setSessionOptions(
    options: SessionOptions<SessionOptionValue | null | undefined>,
    callOptions?: FlightCallOptions,
  ): Promise<SetSessionOptionsResult>;
  /** The options of the session. */
  getSessionOptions(callOptions?: FlightCallOptions): Promise<ReadonlyMap<string, SessionOptionValue>>;
  /** Ends the session. */
  closeSession(callOptions?: FlightCallOptions): Promise<CloseSessionResult>;

  /**
   * Fetches all endpoints, several at once, each from the first of its locations that works, into one table: in the
   * order of the endpoints. An endpoint that fails midway is fetched again, from its next location.
   */
  readAll(info: FlightInfo, options?: ReadEndpointsOptions): Promise<Table>;
  /**
   * Fetches all endpoints as a stream of chunks: in the order of the endpoints when the info is `ordered`, otherwise
   * as they come. An endpoint that fails before its first chunk is fetched from its next location; later failures
   * end the stream.
   */
  readEndpoints(info: FlightInfo, options?: ReadEndpointsOptions): EndpointsReader;

  /** Cancels what is still running and closes the connections that are not shared. Further calls do nothing. */
  close(): Promise<void>;
}
