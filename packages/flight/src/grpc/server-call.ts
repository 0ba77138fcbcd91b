/**
 * One call as its server sees it: the request's headers, messages in both directions, and the status, after which
 * nothing can be sent. The status goes out as trailers, or alone (trailers-only) when a call fails before anything
 * else was sent.
 */

import type { X509Certificate } from 'node:crypto';
import {
  FlightCancelledError,
  type FlightError,
  FlightInternalError,
  FlightResourceExhaustedError,
  FlightTimedOutError,
} from '../errors.ts';
import type { Http2Error } from '../http2/errors.ts';
import { headerListSize } from '../http2/frames.ts';
import type { HeaderField, HeaderList, Http2Stream, Http2StreamHandler } from '../http2/types.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { Inbox, type InboxLimits, type InboxOwner } from './inbox.ts';
import type { OutgoingMessage } from './message.ts';
import { Metadata } from './metadata.ts';
import { Outbox } from './outbox.ts';
import { formatStatus, okStatus, statusOfError, withoutExtraInfo } from './status.ts';
import {
  type GrpcCompression,
  type GrpcMethod,
  type GrpcServerCall,
  type GrpcStatus,
  grpcStatusCodes,
} from './types.ts';

/** What a request said in the headers that this layer reads. */
export interface ServerCallRequest {
  readonly path: string;
  readonly headers: HeaderList;
  /** Time that the client waits, in ms. */
  readonly timeoutMs: number | undefined;
  /** How its messages are compressed. */
  readonly compression: GrpcCompression;
  /** Whether it takes gzip. */
  readonly takesGzip: boolean;
}

/** What a call needs of its connection. */
export interface ServerCallHost {
  readonly peer: string;
  readonly peerCertificate: X509Certificate | undefined;
  readonly limits: InboxLimits;
  /** Bytes of headers that the client takes in one list. */
  readonly maxHeaderListBytes: number;
  readonly compression: GrpcCompression;
  /** How long a handler may go on after its call was cancelled, in ms. */
  readonly abandonedHandlerMs: number;
  /** The handler has returned or thrown, or is not waited for any longer. Called once. */
  onHandlerDone(call: ServerCall<unknown>): void;
}

/** The fields that every response begins with. */
export const responseFields: readonly HeaderField[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];
const gzipField: HeaderField = ['grpc-encoding', 'gzip'];

/** See the top of this file. */
export class ServerCall<T> implements GrpcServerCall<T>, Http2StreamHandler, InboxOwner {
  readonly path: string;
  readonly deadline: Date | undefined;
  headersSent = false;
  onAbandoned: (() => void) | undefined;
  readonly #host: ServerCallHost;
  readonly #request: ServerCallRequest;
  readonly #stream: Http2Stream;
  readonly #method: GrpcMethod<T>;
  readonly #inbox: Inbox<T>;
  readonly #outbox = new Outbox(false);
  #metadata: Metadata | undefined;
  #initialMetadata: Metadata | undefined;
  #trailers: Metadata | undefined;
  #compression: GrpcCompression;
  #deadlineTimer: NodeJS.Timeout | undefined;
  /** Whether the status was sent, or can no longer be. */
  #over = false;
  /** Why the call was over before it was finished. */
  #cancelled: FlightError | undefined;
  #abort: AbortController | undefined;
  /** Whether the handler has ended, or is not waited for any longer. */
  #handled = false;
  #abandonTimer: NodeJS.Timeout | undefined;

  constructor(host: ServerCallHost, request: ServerCallRequest, stream: Http2Stream, method: GrpcMethod<T>) {
    this.path = request.path;
    this.#host = host;
    this.#request = request;
    this.#stream = stream;
    this.#method = method;
    this.#compression = host.compression;
    this.#inbox = new Inbox(method.decoder, host.limits, this);
    this.#inbox.compression = request.compression;
    this.#outbox.attach(stream);
    const { timeoutMs } = request;
    if (timeoutMs === undefined) return;
    this.deadline = new Date(Date.now() + timeoutMs);
    if (timeoutMs <= maxTimerMs) {
      this.#deadlineTimer = setTimeout(() => this.#onDeadline(), Math.ceil(timeoutMs)).unref();
    }
  }

  get metadata(): Metadata {
    this.#metadata ??= Metadata.fromHeaders(this.#request.headers);
    return this.#metadata;
  }

  get peer(): string {
    return this.#host.peer;
  }

  get peerCertificate(): X509Certificate | undefined {
    return this.#host.peerCertificate;
  }

  get initialMetadata(): Metadata {
    this.#initialMetadata ??= new Metadata();
    return this.#initialMetadata;
  }

  get trailers(): Metadata {
    this.#trailers ??= new Metadata();
    return this.#trailers;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#cancelled !== undefined) this.#abort.abort(this.#cancelled);
    }
    return this.#abort.signal;
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  get compression(): GrpcCompression {
    return this.#compression;
  }
  set compression(compression: GrpcCompression) {
    if (!this.headersSent) this.#compression = compression;
  }

  /** Lets the handler begin. */
  run(): void {
    try {
      const result = this.#method.handle(this);
      if (result === undefined) this.#onHandled(undefined);
      else
        result.then(
          () => this.#onHandled(undefined),
          (thrown: unknown) => this.#onHandled({ thrown }),
        );
    } catch (thrown) {
      this.#onHandled({ thrown });
    }
  }

  tryRead(): T | undefined {
    return this.#inbox.tryRead();
  }

  read(): Promise<T | undefined> {
    return this.#inbox.read();
  }

  write(message: OutgoingMessage): boolean {
    // throws before headers are sent when the call is over
    if (!this.headersSent && !this.#over) this.sendHeaders();
    return this.#outbox.write(message);
  }

  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  sendHeaders(): void {
    if (this.headersSent || this.#over) return;
    const headers = [...responseFields];
    const gzip = this.#compression === 'gzip' && this.#request.takesGzip;
    if (gzip) headers.push(gzipField);
    this.#initialMetadata?.appendTo(headers);
    const tooLarge = this.#initialMetadata === undefined ? undefined : this.#tooLarge('headers', headers);
    if (tooLarge !== undefined) {
      this.#initialMetadata = undefined;
      throw tooLarge;
    }
    this.headersSent = true;
    if (gzip) this.#outbox.compression = 'gzip';
    this.#stream.sendHeaders(headers);
  }

  finish(outcome?: GrpcStatus | Error): void {
    if (this.#over) return;
    let status =
      outcome === undefined ? okStatus() : outcome instanceof Error ? statusOfError(outcome) : outcome;
    // a call that succeeds without a message still has headers of its own: some clients insist
    if (status.code === grpcStatusCodes.OK) {
      try {
        this.sendHeaders();
      } catch (error) {
        status = statusOfError(error);
      }
    }
    this.#end(status);
  }

  // only clients get headers by this
  onHeaders(): void {}

  onData(buffer: Uint8Array, start: number, end: number): void {
    this.#inbox.receive(buffer, start, end);
  }

  // gRPC has no trailers in requests
  onTrailers(): void {}

  onEnd(): void {
    this.#inbox.end(undefined);
  }

  onClose(error: Http2Error | undefined): void {
    if (error === undefined && this.#over) return;
    const lost = error !== undefined && error.code !== 'CANCEL';
    this.#cancel(
      new FlightCancelledError(
        lost ? `the client is gone: ${error.message}` : 'the client cancelled the call',
        { cause: error },
      ),
    );
  }

  onDrain(): void {
    this.#outbox.onDrain();
  }

  onInboxCredit(byteLength: number): void {
    this.#stream.consumed(byteLength);
  }

  onInboxError(error: FlightError): void {
    if (this.#over) return;
    this.finish(error);
    this.#cancel(error);
  }

  #onHandled(failure: { readonly thrown: unknown } | undefined): void {
    if (this.#handled) return;
    this.#handled = true;
    clearTimeout(this.#abandonTimer);
    if (failure === undefined) this.finish();
    else if (!this.#over) this.#end(statusOfError(failure.thrown));
    this.#host.onHandlerDone(this);
  }

  /** Ends the call with an error from outside of its handler. */
  interrupt(error: FlightError): void {
    if (this.#over) return;
    // behind payload that the client does not take a status would never arrive
    const stuck = this.#stream.queuedBytes > 0;
    if (!stuck) this.finish(error);
    this.#cancel(error);
    if (stuck) this.#stream.reset('CANCEL');
  }

  #onDeadline(): void {
    this.interrupt(
      new FlightTimedOutError(`the deadline of the call passed (${this.#request.timeoutMs} ms)`),
    );
  }

  #end(status: GrpcStatus): void {
    const trailersOnly = !this.headersSent;
    this.#over = true;
    this.headersSent = true;
    const fields = trailersOnly ? [...responseFields] : [];
    if (trailersOnly) this.#initialMetadata?.appendTo(fields);
    const headers = this.#fitted(status, fields);
    if (trailersOnly) this.#stream.sendHeaders(headers, true);
    else this.#outbox.end(headers);
    clearTimeout(this.#deadlineTimer);
    this.#inbox.drop(undefined);
    this.#outbox.close(finishedError);
  }

  /**
   * The last headers of the call, as large as the client takes them: one that got more would drop the status, and a
   * block that is large enough its whole connection. What does not fit is left out, the status tells of it.
   *
   * @param fields - what goes before the status
   */
  #fitted(status: GrpcStatus, fields: readonly HeaderField[]): readonly HeaderField[] {
    const all = [...fields, ...formatStatus(status, this.#trailers)];
    // a status of success is small without metadata of the handler
    const small = status.code === grpcStatusCodes.OK && this.#trailers === undefined;
    const tooLarge = small ? undefined : this.#tooLarge('trailers', all);
    if (tooLarge === undefined) return all;
    if (status.error !== undefined && status.error.extraInfo.byteLength > 0) {
      const shorter = withoutExtraInfo(status, this.#host.maxHeaderListBytes);
      const rest = [...fields, ...formatStatus(shorter, this.#trailers)];
      if (this.#tooLarge('trailers', rest) === undefined) return rest;
    }
    // then it is metadata of the handler that takes the room
    return [
      ...(fields.length > 0 ? responseFields : []),
      ...formatStatus(statusOfError(tooLarge), undefined),
    ];
  }

  /** The error for headers that the client does not take. */
  #tooLarge(what: string, headers: HeaderList): FlightError | undefined {
    const limit = this.#host.maxHeaderListBytes;
    const size = headerListSize(headers);
    if (size <= limit) return undefined;
    return new FlightResourceExhaustedError(
      `${what} of ${size} bytes are above the ${limit} bytes that the client takes; send what is large as data`,
    );
  }

  /** The call is over before it was finished. */
  #cancel(error: FlightError): void {
    if (this.#cancelled !== undefined) return;
    this.#over = true;
    this.#cancelled = error;
    clearTimeout(this.#deadlineTimer);
    this.#inbox.drop(error);
    this.#outbox.close(() => error);
    this.#abort?.abort(error);
    if (this.#handled || this.#host.abandonedHandlerMs > maxTimerMs) return;
    this.#abandonTimer = setTimeout(() => this.#abandon(), this.#host.abandonedHandlerMs).unref();
  }

  /** The handler does not notice that nobody waits for it. */
  #abandon(): void {
    if (this.#handled) return;
    this.#handled = true;
    this.onAbandoned?.();
    this.#host.onHandlerDone(this);
  }
}

function finishedError(): FlightError {
  return new FlightInternalError('the call is finished; nothing more can be sent');
}
