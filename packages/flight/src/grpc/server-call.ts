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
  FlightTimedOutError,
} from '../errors.ts';
import type { Http2Error } from '../http2/errors.ts';
import type { HeaderField, HeaderList, Http2Stream, Http2StreamHandler } from '../http2/types.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { Inbox, type InboxLimits, type InboxOwner } from './inbox.ts';
import type { OutgoingMessage } from './message.ts';
import { Metadata } from './metadata.ts';
import { Outbox } from './outbox.ts';
import { formatStatus, okStatus, statusOfError } from './status.ts';
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
    this.headersSent = true;
    const headers = [...responseFields];
    if (this.#compression === 'gzip' && this.#request.takesGzip) {
      headers.push(gzipField);
      this.#outbox.compression = 'gzip';
    }
    this.#initialMetadata?.appendTo(headers);
    this.#stream.sendHeaders(headers);
  }

  finish(outcome?: GrpcStatus | Error): void {
    if (this.#over) return;
    const status =
      outcome === undefined ? okStatus() : outcome instanceof Error ? statusOfError(outcome) : outcome;
    // a call that succeeds without a message still has headers of its own: some clients insist
    if (status.code === grpcStatusCodes.OK) this.sendHeaders();
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
    const own = formatStatus(status, this.#trailers);
    if (trailersOnly) {
      const headers = [...responseFields];
      this.#initialMetadata?.appendTo(headers);
      headers.push(...own);
      this.#stream.sendHeaders(headers, true);
    } else {
      this.#outbox.end(own);
    }
    clearTimeout(this.#deadlineTimer);
    this.#inbox.drop(undefined);
    this.#outbox.close(finishedError);
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
