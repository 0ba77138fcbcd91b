import type { FlightError } from '../errors.ts';
import type { Metadata, MetadataInit } from '../grpc/metadata.ts';
import type { CallInfo } from './call-info.ts';

/** What client middleware is told of a call before it begins. */
export interface ClientCallInfo extends CallInfo {
  /** Where the call goes, as a location URI. */
  readonly location: string;
}

/**
 * Accompanies one call of a client (pyarrow's `ClientMiddleware`). All functions are optional and synchronous. A call
 * that is tried again is accompanied by new middleware for each try.
 *
 * What `sendingHeaders`, `receivedHeaders` and `receivedTrailers` throw ends the call with that error; what
 * `callCompleted` throws is published on the diagnostics channel `peregrine:client:error` and goes no further.
 */
export interface ClientMiddleware {
  /**
   * Headers to add to the request. Asked once, before the call is sent. A name that the call or the client has as well
   * goes with all values, theirs first.
   */
  sendingHeaders?(): MetadataInit | undefined;
  /**
   * The response's headers are here. Called once at most; when the server failed the call before it sent anything
   * else (trailers-only), these are the trailers.
   */
  receivedHeaders?(headers: Metadata): void;
  /** The call's trailers are here. Called once at most, also when they went to `receivedHeaders` before. */
  receivedTrailers?(trailers: Metadata): void;
  /**
   * The call is over. Called exactly once, after everything else.
   *
   * @param error - how it failed; undefined when all went well
   */
  callCompleted?(error: FlightError | undefined): void;
}

/** Makes middleware for each call (pyarrow's `ClientMiddlewareFactory`). */
export interface ClientMiddlewareFactory {
  /**
   * A call begins. What it throws becomes the error of the call, and nothing is sent.
   *
   * @returns the middleware of this call; undefined when it needs none
   */
  startCall(info: ClientCallInfo): ClientMiddleware | undefined;
}
