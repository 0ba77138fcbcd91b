import type { FlightError } from '../errors.ts';
import type { Metadata } from '../grpc/index.ts';
import type { CallInfo } from './call-info.ts';

/** Headers as plain data: names in lower case; names that end in `-bin` take bytes; a list sends the name repeatedly. */
export type HeaderRecord = Readonly<
  Record<string, string | Uint8Array | readonly (string | Uint8Array)[] | undefined>
>;

/** What server middleware is told of a call. */
export interface ServerCallInfo extends CallInfo {
  /** Address of the client, such as `ipv4:127.0.0.1:40000`. */
  readonly peer: string;
  /** Who calls, as authentication found; empty for nobody in particular. */
  readonly peerIdentity: string;
}

/** Accompanies one call in the server (pyarrow's `ServerMiddleware`). */
export interface ServerMiddleware {
  /** Headers to add to the response. Asked once, before the handler runs. */
  sendingHeaders?(): HeaderRecord | undefined;
  /**
   * The call is over for the server: its status is on the way to the client.
   *
   * @param error - what the client was told; undefined when all went well
   */
  callCompleted?(error: FlightError | undefined): void;
}

/** Makes middleware for each call (pyarrow's `ServerMiddlewareFactory`). */
export interface ServerMiddlewareFactory<M extends ServerMiddleware = ServerMiddleware> {
  /**
   * A call begins. Throw a FlightError to refuse it: the handler does not run, and middleware that has started is
   * told of the end.
   *
   * @param info - which method, and who calls
   * @param headers - the request's headers
   * @returns the middleware of this call; undefined when it needs none
   */
  startCall(info: ServerCallInfo, headers: Metadata): M | undefined | Promise<M | undefined>;
}
