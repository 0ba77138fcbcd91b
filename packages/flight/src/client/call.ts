/**
 * One try of one call: a gRPC call with its middleware, its circuit breaker, and errors that say where they happened.
 * The order in which middleware is told things holds against what the caller sees: headers before the first message,
 * the end before the end.
 */

import { type FlightError, locateError } from '../errors.ts';
import type { OutgoingMessage } from '../grpc/message.ts';
import { Metadata } from '../grpc/metadata.ts';
import type { GrpcClientCall, GrpcStatus } from '../grpc/types.ts';
import type { ClientMiddlewareChain } from '../middleware/client-chain.ts';
import type { CircuitTicket } from './circuit-breaker.ts';

/** Both directions of a call, as the files of the RPCs see it. */
export interface FlightCall<T> {
  /** Such as `DoGet at grpc+tcp://localhost:8815`. */
  readonly where: string;
  /** A message that is already there. */
  tryRead(): T | undefined;
  /** The next message; undefined at the clean end. Rejects with the call's error. */
  read(): Promise<T | undefined>;
  /** Queues a message; false: await {@link FlightCall.drained}. Throws the call's error once it failed. */
  write(message: OutgoingMessage): boolean;
  /** Resolves when there is room again; rejects with the call's error. */
  drained(): Promise<void>;
  /** No more messages from this side. */
  end(): void;
  /** Gives the call up. */
  cancel(reason?: string): void;
  /** Resolves when the call has ended well; rejects with its error. */
  finished(): Promise<void>;
  /** The response's headers; empty when there were none. Never rejects. */
  readonly headers: Promise<Metadata>;
  /** The trailers; empty when there were none. Never rejects. */
  readonly trailers: Promise<Metadata>;
}

/** What {@link trackCall} adds to a gRPC call. */
export interface CallCompanions {
  readonly where: string;
  readonly middleware: ClientMiddlewareChain | undefined;
  readonly ticket: CircuitTicket | undefined;
  /** The call is over. */
  readonly onEnd: () => void;
}

/** Puts a gRPC call that has just begun together with what accompanies it. */
export function trackCall<T>(call: GrpcClientCall<T>, companions: CallCompanions): FlightCall<T> {
  return new TrackedCall(call, companions);
}

class TrackedCall<T> implements FlightCall<T> {
  readonly where: string;
  readonly #call: GrpcClientCall<T>;
  readonly #middleware: ClientMiddlewareChain | undefined;
  /** Resolves when middleware was told of the headers; undefined when there is nothing (more) to wait for. */
  #headersTold: Promise<void> | undefined;
  /** Resolves to the call's error when everyone was told of its end. */
  readonly #ended: Promise<FlightError | undefined>;
  /** What middleware threw: it takes the place of the error that the call got by being cancelled for it. */
  #failure: FlightError | undefined;

  constructor(call: GrpcClientCall<T>, companions: CallCompanions) {
    this.where = companions.where;
    this.#call = call;
    this.#middleware = companions.middleware;
    if (this.#middleware !== undefined) this.#headersTold = this.#tellHeaders(this.#middleware);
    const told = this.#headersTold;
    this.#ended = call.status.then((status) =>
      told === undefined
        ? this.#tellEnd(status, companions)
        : told.then(() => this.#tellEnd(status, companions)),
    );
  }

  tryRead(): T | undefined {
    return this.#headersTold === undefined ? this.#call.tryRead() : undefined;
  }

  read(): Promise<T | undefined> {
    if (this.#middleware !== undefined) return this.#readAfterMiddleware();
    return this.#call.read().catch((error: unknown) => {
      throw this.#error(error);
    });
  }

  async #readAfterMiddleware(): Promise<T | undefined> {
    await this.#headersTold;
    let message: T | undefined;
    try {
      message = await this.#call.read();
    } catch (error) {
      // middleware is told of the end before the caller
      await this.#ended;
      throw this.#error(error);
    }
    if (message === undefined) {
      const error = await this.#ended;
      if (error !== undefined) throw error;
    }
    return message;
  }

  write(message: OutgoingMessage): boolean {
    try {
      return this.#call.write(message);
    } catch (error) {
      throw this.#error(error);
    }
  }

  async drained(): Promise<void> {
    try {
      await this.#call.drained();
    } catch (error) {
      throw this.#error(error);
    }
  }

  end(): void {
    this.#call.end();
  }

  cancel(reason?: string): void {
    this.#call.cancel(reason);
  }

  async finished(): Promise<void> {
    const error = await this.#ended;
    if (error !== undefined) throw error;
  }

  get headers(): Promise<Metadata> {
    return this.#call.headers;
  }

  get trailers(): Promise<Metadata> {
    return this.#call.status.then((status) => status.metadata);
  }

  #error(error: unknown): FlightError {
    return this.#failure ?? locateError(error, this.where);
  }

  async #tellHeaders(middleware: ClientMiddlewareChain): Promise<void> {
    const headers = await this.#call.headers;
    try {
      middleware.receivedHeaders(headers);
    } catch (thrown) {
      this.#failure = locateError(thrown, this.where);
      this.#call.cancel('middleware refused the headers of the response');
    }
    this.#headersTold = undefined;
  }

  #tellEnd(status: GrpcStatus, { middleware, ticket, onEnd }: CallCompanions): FlightError | undefined {
    try {
      middleware?.receivedTrailers(status.metadata);
    } catch (thrown) {
      this.#failure ??= locateError(thrown, this.where);
    }
    const statusError = status.error;
    const error =
      this.#failure ?? (statusError === undefined ? undefined : locateError(statusError, this.where));
    // middleware's own failure says nothing about the server
    ticket?.leave(this.#failure === undefined ? error : undefined);
    onEnd();
    middleware?.callCompleted(error);
    return error;
  }
}

/** A call that failed before anything was sent: everything that waits for it gets the error. */
export function failedCall<T>(failure: FlightError): FlightCall<T> {
  return {
    where: failure.where ?? '',
    tryRead: () => undefined,
    read: () => Promise.reject(failure),
    write: () => {
      throw failure;
    },
    drained: () => Promise.reject(failure),
    end: () => undefined,
    cancel: () => undefined,
    finished: () => Promise.reject(failure),
    headers: Promise.resolve(new Metadata()),
    trailers: Promise.resolve(new Metadata()),
  };
}
