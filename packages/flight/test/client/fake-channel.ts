/** A channel without a network: each call is given to a script, which plays the server. */

import { FlightCancelledError, type FlightError } from '../../src/errors.ts';
import type { MessageDecoder, OutgoingMessage } from '../../src/grpc/message.ts';
import { Metadata, type MetadataInit } from '../../src/grpc/metadata.ts';
import type {
  GrpcCallOptions,
  GrpcChannel,
  GrpcClientCall,
  GrpcStatus,
  GrpcUnaryResult,
} from '../../src/grpc/types.ts';

/** One call as the script sees it. */
export interface ScriptedCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly options: GrpcCallOptions;
  /** Messages of the client so far. */
  readonly received: Uint8Array[];
  /** The client has ended its side. */
  readonly ended: Promise<void>;
  /** Why the client cancelled; undefined while it has not. */
  readonly cancelled: string | undefined;
  /** Sends the headers, once. */
  headers(init?: MetadataInit): void;
  /** Sends a message. */
  send(message: Uint8Array): void;
  /** Ends the call; without headers before it is trailers-only. */
  finish(error?: FlightError, trailers?: MetadataInit): void;
}

/** Makes a channel whose calls are served by a script. */
export function scriptedChannel(
  script: (call: ScriptedCall) => void | Promise<void>,
): GrpcChannel & { readonly calls: readonly ScriptedCall[] } {
  const calls: ScriptedCall[] = [];
  return {
    calls,
    state: 'ready',
    call<T>(
      path: string,
      decoder: () => MessageDecoder<T>,
      options: GrpcCallOptions = {},
    ): GrpcClientCall<T> {
      const { client, scripted } = createCall(path, decoder(), options);
      calls.push(scripted);
      void Promise.resolve().then(() => script(scripted));
      return client;
    },
    unary(): Promise<GrpcUnaryResult> {
      return Promise.reject(new Error('the client does not use this'));
    },
    connect: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function createCall<T>(
  path: string,
  decoder: MessageDecoder<T>,
  options: GrpcCallOptions,
): { client: GrpcClientCall<T>; scripted: ScriptedCall } {
  const queue: T[] = [];
  const received: Uint8Array[] = [];
  const headers = deferred<Metadata>();
  const status = deferred<GrpcStatus>();
  const ended = deferred<void>();
  let waiting: { resolve(message: T | undefined): void; reject(error: unknown): void } | undefined;
  let outcome: GrpcStatus | undefined;
  let cancelled: string | undefined;

  const end = (final: GrpcStatus): void => {
    if (outcome !== undefined) return;
    outcome = final;
    headers.resolve(final.metadata);
    status.resolve(final);
    if (final.error === undefined) waiting?.resolve(undefined);
    else waiting?.reject(final.error);
    waiting = undefined;
  };
  const cancel = (reason = 'cancelled'): void => {
    if (outcome !== undefined) return;
    cancelled = reason;
    queue.length = 0;
    const error = new FlightCancelledError(reason);
    end({ code: 1, message: reason, metadata: new Metadata(), error });
  };
  options.signal?.addEventListener('abort', () => cancel('aborted'));

  const client: GrpcClientCall<T> = {
    headers: headers.promise,
    status: status.promise,
    write(message: OutgoingMessage): boolean {
      if (outcome?.error !== undefined) throw outcome.error;
      received.push(Buffer.concat(message.pieces));
      message.onFlushed?.();
      return true;
    },
    drained: () => (outcome?.error === undefined ? Promise.resolve() : Promise.reject(outcome.error)),
    end: () => ended.resolve(),
    tryRead: () => queue.shift(),
    read(): Promise<T | undefined> {
      const message = queue.shift();
      if (message !== undefined) return Promise.resolve(message);
      if (outcome?.error !== undefined) return Promise.reject(outcome.error);
      if (outcome !== undefined) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
      });
    },
    cancel,
  };
  const scripted: ScriptedCall = {
    path,
    options,
    received,
    metadata: options.metadata ?? new Metadata(),
    ended: ended.promise,
    get cancelled(): string | undefined {
      return cancelled;
    },
    headers: (init = {}) => headers.resolve(Metadata.from(init)),
    send(message: Uint8Array): void {
      headers.resolve(new Metadata());
      decoder.begin(message.byteLength);
      decoder.push(message, 0, message.byteLength);
      const value = decoder.finish();
      if (waiting === undefined) queue.push(value);
      else {
        waiting.resolve(value);
        waiting = undefined;
      }
    },
    finish(error?: FlightError, trailers: MetadataInit = {}): void {
      const metadata = Metadata.from(trailers);
      if (error === undefined) end({ code: 0, message: '', metadata });
      else end({ code: 2, message: error.rawMessage, metadata, error });
    },
  };
  return { client, scripted };
}

function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let resolve: ((value: T) => void) | undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve: (value: T) => resolve?.(value) };
}
