/**
 * One call as its client makes it: request headers, messages in both directions, trailers.
 *
 *     waiting ──start()──▶ open ──trailers, reset, deadline, cancel──▶ over
 *        ▲                  │
 *        └── not processed ─┘   (REFUSED_STREAM before any answer: begins anew on another connection)
 */

import {
  FlightCancelledError,
  type FlightError,
  FlightInternalError,
  FlightTimedOutError,
} from '../errors.ts';
import { Http2Error, type Http2ErrorCode } from '../http2/errors.ts';
import type { HeaderField, HeaderList, Http2Stream, Http2StreamHandler } from '../http2/types.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { maxTransparentRetries } from '../limits/grpc.ts';
import type { ClientConnection } from './client-connection.ts';
import { createDeferred, type Deferred } from './deferred.ts';
import { acceptedEncodings } from './gzip.ts';
import { Inbox, type InboxLimits, type InboxOwner } from './inbox.ts';
import type { MessageDecoder, OutgoingMessage } from './message.ts';
import { Metadata } from './metadata.ts';
import { Outbox } from './outbox.ts';
import { errorOfHttp2, errorOfHttpStatus, parseStatus, statusOfError } from './status.ts';
import { formatTimeout } from './timeout.ts';
import type { GrpcClientCall, GrpcCompression, GrpcStatus } from './types.ts';

/** What a call is made of; the channel has put its own defaults in. */
export interface ClientCallSetup<T> {
  readonly path: string;
  readonly decoder: () => MessageDecoder<T>;
  readonly limits: InboxLimits;
  readonly compression: GrpcCompression;
  readonly metadata: Metadata | undefined;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly waitForReady: boolean;
  readonly host: CallHost;
}

/** The channel of a call. */
export interface CallHost {
  /** Finds a connection and calls `start`, or `fail`; now or later. */
  place(call: ClientCall<unknown>): void;
  /** Why the last try to connect failed; undefined when there was none, or a connection since. */
  readonly connectFailure: FlightError | undefined;
  /** The call is over and no longer has to be placed. */
  onCallOver(call: ClientCall<unknown>): void;
}

const fixedFields = {
  method: [':method', 'POST'],
  te: ['te', 'trailers'],
  contentType: ['content-type', 'application/grpc'],
  acceptEncoding: ['grpc-accept-encoding', acceptedEncodings],
  gzip: ['grpc-encoding', 'gzip'],
} as const satisfies Record<string, HeaderField>;

/** See the top of this file. */
export class ClientCall<T> implements GrpcClientCall<T>, Http2StreamHandler, InboxOwner {
  readonly #setup: ClientCallSetup<T>;
  readonly #inbox: Inbox<T>;
  readonly #outbox = new Outbox(true);
  #connection: ClientConnection | undefined;
  #stream: Http2Stream | undefined;
  #retries = 0;
  /** The moment of the deadline, in ms of `performance.now()`. */
  #deadlineAt = Infinity;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #abortListener: (() => void) | undefined;
  #headers: Metadata | undefined;
  #headersWaiting: Deferred<Metadata> | undefined;
  /** What the trailers said, until the stream has ended. */
  #trailers: GrpcStatus | undefined;
  #status: GrpcStatus | undefined;
  #statusWaiting: Deferred<GrpcStatus> | undefined;

  constructor(setup: ClientCallSetup<T>) {
    this.#setup = setup;
    this.#inbox = new Inbox(setup.decoder, setup.limits, this);
    this.#outbox.compression = setup.compression;
    const { timeoutMs, signal } = setup;
    if (signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    if (timeoutMs !== undefined) {
      this.#deadlineAt = performance.now() + timeoutMs;
      if (timeoutMs <= 0) {
        this.#onDeadline();
        return;
      }
      // what a timer cannot hold is weeks away; the server knows it
      if (timeoutMs <= maxTimerMs) {
        this.#deadlineTimer = setTimeout(() => this.#onDeadline(), Math.ceil(timeoutMs));
      }
    }
    if (signal !== undefined) {
      this.#abortListener = (): void => this.#onAbort();
      signal.addEventListener('abort', this.#abortListener, { once: true });
    }
    setup.host.place(this);
  }

  /** Whether the call waits for a server that cannot be reached. */
  get waitForReady(): boolean {
    return this.#setup.waitForReady;
  }

  get headers(): Promise<Metadata> {
    if (this.#headers !== undefined) return Promise.resolve(this.#headers);
    this.#headersWaiting ??= createDeferred();
    return this.#headersWaiting.promise;
  }

  get status(): Promise<GrpcStatus> {
    if (this.#status !== undefined) return Promise.resolve(this.#status);
    this.#statusWaiting ??= createDeferred();
    return this.#statusWaiting.promise;
  }

  tryRead(): T | undefined {
    return this.#inbox.tryRead();
  }

  read(): Promise<T | undefined> {
    return this.#inbox.read();
  }

  write(message: OutgoingMessage): boolean {
    this.#connection?.count(message.byteLength);
    return this.#outbox.write(message);
  }

  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  end(): void {
    this.#outbox.end();
  }

  cancel(reason?: string): void {
    const why = reason === undefined ? '' : `: ${reason}`;
    this.#giveUp(new FlightCancelledError(`the call was cancelled${why}`));
  }

  /** There is a connection: the call begins (anew). */
  start(connection: ClientConnection): void {
    if (this.#status !== undefined) return;
    this.#connection = connection;
    try {
      this.#stream = connection.open(this.#requestHeaders(connection), this);
    } catch (error) {
      this.#connection = undefined;
      this.#retry(error);
      return;
    }
    this.#outbox.attach(this.#stream);
  }

  /** There is no connection. */
  fail(error: FlightError): void {
    this.#settle(statusOfError(error), error);
  }

  onHeaders(headers: HeaderList, endStream: boolean): void {
    if (this.#status !== undefined) return;
    this.#outbox.commit();
    let httpStatus: string | undefined;
    let contentType: string | undefined;
    let encoding = 'identity';
    for (const [name, value] of headers) {
      if (name === ':status') httpStatus = value;
      else if (name === 'content-type') contentType = value;
      else if (name === 'grpc-encoding') encoding = value;
    }
    if (endStream) {
      this.#trailers = parseStatus(headers) ?? statusOfError(errorOfHttpStatus(httpStatus, contentType));
      this.#setHeaders(this.#trailers.metadata);
      return;
    }
    if (httpStatus !== '200' || contentType?.startsWith('application/grpc') !== true) {
      this.#abandon(errorOfHttpStatus(httpStatus, contentType));
      return;
    }
    if (encoding === 'gzip') {
      this.#inbox.compression = 'gzip';
    } else if (encoding !== 'identity') {
      this.#abandon(
        new FlightInternalError(`the server compresses messages by ${encoding}, which was not offered`),
      );
      return;
    }
    this.#setHeaders(Metadata.fromHeaders(headers));
  }

  onData(buffer: Uint8Array, start: number, end: number): void {
    this.#connection?.count(end - start);
    this.#inbox.receive(buffer, start, end);
  }

  onTrailers(headers: HeaderList): void {
    this.#trailers ??= parseStatus(headers);
  }

  onEnd(): void {
    if (this.#status !== undefined) return;
    const status =
      this.#trailers ??
      statusOfError(new FlightInternalError('the server ended the call without saying how (no grpc-status)'));
    const stream = this.#stream;
    this.#settle(status, undefined);
    // the server is done with the call, whatever we would still have to send
    if (stream === undefined || stream.closed) return;
    if (stream.queuedBytes === 0) stream.end();
    else stream.reset('NO_ERROR');
  }

  onClose(error: Http2Error | undefined): void {
    if (this.#status !== undefined) return;
    this.#retry(error ?? new FlightInternalError('the call ended without saying how'));
  }

  onDrain(): void {
    this.#outbox.onDrain();
  }

  onInboxCredit(byteLength: number): void {
    this.#stream?.consumed(byteLength);
  }

  onInboxError(error: FlightError): void {
    this.#abandon(error);
  }

  #onDeadline(): void {
    const { host, timeoutMs } = this.#setup;
    const cause = this.#connection === undefined ? host.connectFailure : undefined;
    this.#giveUp(
      new FlightTimedOutError(
        `the call took longer than its timeout of ${timeoutMs} ms${this.#whatItWaitedFor(cause)}`,
        { cause },
      ),
    );
  }

  /** Where a call that was never sent spent its time; empty for one that was. */
  #whatItWaitedFor(failure: FlightError | undefined): string {
    if (this.#connection === undefined) {
      return `, waiting for a connection${failure === undefined ? '' : `: ${failure.rawMessage}`}`;
    }
    return this.#stream?.id === 0 ? ', waiting for others to end: the server takes no more at once' : '';
  }

  #onAbort(): void {
    const cause: unknown = this.#setup.signal?.reason;
    // what AbortSignal.timeout says
    const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
    this.#giveUp(
      isTimeout
        ? new FlightTimedOutError('the call took longer than the timeout of its signal', { cause })
        : new FlightCancelledError('the call was cancelled by its signal', { cause }),
    );
  }

  #requestHeaders(connection: ClientConnection): HeaderList {
    const { compression, metadata, path } = this.#setup;
    const headers: HeaderField[] = [
      fixedFields.method,
      connection.scheme,
      [':path', path],
      connection.authority,
      fixedFields.te,
      fixedFields.contentType,
      connection.userAgent,
      fixedFields.acceptEncoding,
    ];
    if (this.#deadlineAt !== Infinity) {
      headers.push(['grpc-timeout', formatTimeout(Math.max(0, this.#deadlineAt - performance.now()))]);
    }
    if (compression === 'gzip') headers.push(fixedFields.gzip);
    metadata?.appendTo(headers);
    return headers;
  }

  /** The stream is gone. Where the server has not processed the call, it begins anew; else it fails. */
  #retry(error: unknown): void {
    // a stream without a number was never sent
    const unprocessed =
      this.#stream?.id === 0 || (error instanceof Http2Error && error.code === 'REFUSED_STREAM');
    this.#stream = undefined;
    this.#leaveConnection();
    if (!unprocessed || !this.#outbox.replayable || this.#retries >= maxTransparentRetries) {
      const failure = errorOfHttp2(error);
      this.#settle(statusOfError(failure), failure);
      return;
    }
    this.#retries += 1;
    this.#outbox.detach();
    this.#setup.host.place(this);
  }

  /** Ends the call for a reason of ours; what was not read is dropped. */
  #giveUp(error: FlightError): void {
    if (this.#status !== undefined) return;
    this.#inbox.drop(error);
    this.#abandon(error);
  }

  /** Ends the call for a reason of ours; what has come can be read before the error. */
  #abandon(error: FlightError, code: Http2ErrorCode = 'CANCEL'): void {
    if (this.#status !== undefined) return;
    const stream = this.#stream;
    this.#settle(statusOfError(error), error);
    stream?.reset(code);
  }

  #setHeaders(headers: Metadata): void {
    this.#headers = headers;
    this.#headersWaiting?.resolve(headers);
  }

  #leaveConnection(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.leave();
  }

  #settle(status: GrpcStatus, error: FlightError | undefined): void {
    const { signal, host } = this.#setup;
    this.#status = status;
    clearTimeout(this.#deadlineTimer);
    if (this.#abortListener !== undefined) signal?.removeEventListener('abort', this.#abortListener);
    this.#leaveConnection();
    if (this.#headers === undefined) this.#setHeaders(new Metadata());
    const failure = error ?? status.error;
    this.#inbox.end(failure);
    this.#outbox.close(failure === undefined ? endedError : () => failure);
    this.#statusWaiting?.resolve(status);
    host.onCallOver(this);
  }
}

function endedError(): FlightError {
  return new FlightCancelledError('the server has ended the call; nothing more can be sent');
}
