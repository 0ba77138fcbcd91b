import type { ServerResponse } from 'node:http';
import type { Transform, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  FlightCancelledError,
  FlightResourceExhaustedError,
  FlightTimedOutError,
} from '@peregrine/flight/errors';
import { maxBufferedResponseBytes, responseStallTimeoutMs } from '../limits.ts';
import { type ContentCoding, createCompressor } from './encoding.ts';

/** Where the pieces of a result go. */
export interface ResponseBody {
  /**
   * Sends pieces, and resolves when more may be sent.
   *
   * @param whenDone - called once, when the memory of the pieces may be used again; also if the client is gone
   * @throws FlightCancelledError when the client is gone
   */
  write(pieces: readonly Uint8Array[], whenDone?: () => void): Promise<void>;
  /** Ends the body. Trailers go where the connection can carry them. */
  end(trailers: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the connection behind what was written, so that the client misses the end of the body. */
  cut(): Promise<void>;
  /** Bytes that were given to {@link write}. */
  readonly byteLength: number;
}

/** How a body is sent. */
export interface ResponseBodyOptions {
  readonly coding: ContentCoding | undefined;
  /** Milliseconds in which the client may take nothing. Default: {@link responseStallTimeoutMs}. */
  readonly stallTimeoutMs?: number | undefined;
  /** Headers, sent with the first piece or at the end. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names of trailers that may come. */
  readonly trailers: readonly string[];
  /** Called once, before the headers go. */
  readonly onBegin?: (() => void) | undefined;
}

/**
 * Sends a body while it is made. What the client does not take holds up {@link ResponseBody.write}.
 *
 * Pieces go to the socket as they are, so that native memory is written without a copy; compressors work on other
 * threads, where a client that goes away could have memory taken from under them, and get copies.
 */
export function createResponseBody(response: ServerResponse, options: ResponseBodyOptions): ResponseBody {
  const { coding, stallTimeoutMs = responseStallTimeoutMs } = options;
  const compressor = coding === undefined ? undefined : createCompressor(coding);
  const target: Writable = compressor ?? response;
  const pending = new Set<() => void>();
  let gone = false;
  let byteLength = 0;
  let failure: Error | undefined;
  response.once('close', () => {
    gone = true;
    compressor?.destroy();
    // The socket is closed: nothing reads this memory any more.
    for (const done of pending) done();
  });
  response.on('error', () => undefined);
  compressor?.on('error', (error) => {
    failure = error;
    response.destroy(error);
  });
  // `pipe` and not `pipeline`: trailers are added between the last byte and the end.
  compressor?.pipe(response, { end: false });

  const begin = (): void => {
    if (response.headersSent) return;
    options.onBegin?.();
    response.writeHead(200, {
      ...options.headers,
      ...(coding === undefined ? {} : { 'content-encoding': coding }),
      ...(options.trailers.length === 0 ? {} : { trailer: options.trailers.join(', ') }),
    });
  };
  const check = (): void => {
    if (failure !== undefined) throw failure;
    if (gone)
      throw new FlightCancelledError('the client closed the connection before the result was complete');
  };

  return {
    get byteLength() {
      return byteLength;
    },
    async write(pieces, whenDone) {
      const solid = pieces.filter((piece) => piece.byteLength > 0);
      const total = solid.reduce((sum, piece) => sum + piece.byteLength, 0);
      const done = once(() => {
        pending.delete(done);
        whenDone?.();
      });
      pending.add(done);
      if (gone) done();
      check();
      begin();
      if (total === 0) {
        done();
        return;
      }
      byteLength += total;
      let free: boolean;
      if (compressor !== undefined) {
        const copy = Buffer.concat(solid);
        done();
        free = compressor.write(copy);
      } else {
        // Not corked: Node 22 and later then tell of no drain. They write the pieces of a turn together by themselves.
        free = true;
        for (const [i, piece] of solid.entries()) {
          free = i === solid.length - 1 ? response.write(piece, done) : response.write(piece);
        }
      }
      if (!free && !gone && target.writableNeedDrain) await drained(response, target, stallTimeoutMs);
      check();
    },
    async end(trailers) {
      check();
      begin();
      if (compressor !== undefined) await endOf(compressor, response);
      check();
      if (Object.keys(trailers).length > 0) response.addTrailers(trailers);
      await settled(response, stallTimeoutMs, () => response.end());
    },
    async cut() {
      check();
      begin();
      if (compressor !== undefined) await endOf(compressor, response);
      // Node 26 gives the socket what was written in this turn at the end of it.
      await nextTurn();
      check();
      await settled(response, stallTimeoutMs, () => response.socket?.destroySoon());
    },
  };
}

/**
 * Waits until a client has taken what waits for it.
 *
 * @throws FlightTimedOutError when it takes nothing for so long; it is cut off then
 */
function drained(response: ServerResponse, target: Writable, stallTimeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new FlightTimedOutError(`the client took nothing of the result for ${stallTimeoutMs} ms`));
      response.destroy();
    }, stallTimeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      target.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    target.once('drain', settle);
    response.once('close', settle);
  });
}

/** Ends a compressor, and waits until the response has all of it or is closed. */
function endOf(compressor: Transform, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    compressor.once('end', resolve);
    response.once('close', resolve);
    compressor.end();
  });
}

/** Ends a response, and waits until it is out or closed; a client that takes nothing more is left. */
function settled(response: ServerResponse, stallTimeoutMs: number, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), stallTimeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      resolve();
    };
    response.once('finish', settle);
    response.once('close', settle);
    end();
  });
}

/**
 * Keeps a body in memory until it is complete (`wait_end_of_query=1`), so that an error can still have its status.
 *
 * @throws (while writing) FlightResourceExhaustedError above the limit
 */
export function bufferResponseBody(
  inner: ResponseBody,
  limit: number = maxBufferedResponseBytes,
): ResponseBody {
  const kept: Uint8Array[] = [];
  let byteLength = 0;
  return {
    get byteLength() {
      return byteLength;
    },
    async write(pieces, whenDone) {
      for (const piece of pieces) {
        byteLength += piece.byteLength;
        kept.push(Uint8Array.from(piece));
      }
      whenDone?.();
      if (byteLength > limit) {
        throw new FlightResourceExhaustedError(
          `the result has more than the ${limit} bytes that wait_end_of_query keeps; ask without it, or for less`,
        );
      }
    },
    async end(trailers) {
      await inner.write(kept);
      await inner.end(trailers);
    },
    async cut() {
      await inner.write(kept);
      await inner.cut();
    },
  };
}

function once(run: () => void): () => void {
  let ran = false;
  return () => {
    if (ran) return;
    ran = true;
    run();
  };
}
