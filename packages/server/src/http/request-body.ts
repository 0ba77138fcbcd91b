import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import {
  FlightCancelledError,
  FlightDataError,
  FlightResourceExhaustedError,
  type FlightError,
  FlightTimedOutError,
  toFlightError,
  messageOf,
} from '@peregrine/flight/errors';
import { minRequestBytesPerSecond, requestIdleTimeoutMs } from '../limits.ts';
import { checkContentType } from './content-type.ts';
import { createDecompressor } from './encoding.ts';
import { withStatus } from './problem.ts';

/** Limits of a request's body. */
export interface RequestBodyLimits {
  /** Milliseconds without a byte. Default: {@link requestIdleTimeoutMs}. */
  readonly idleTimeoutMs?: number | undefined;
  /** Bytes a second that must come on the average. Default: {@link minRequestBytesPerSecond}. */
  readonly minBytesPerSecond?: number | undefined;
}

/** The body of a request, decompressed, piece by piece. What was looked at is not lost. */
export interface RequestBody {
  /** The first bytes, as many as asked for or as there are. */
  peek(byteLength: number): Promise<Uint8Array>;
  /** All of it. */
  readAll(limit: number, what: string): Promise<Uint8Array>;
  /** All of it, piece by piece. */
  read(limit: number, what: string): AsyncGenerator<Uint8Array, void, void>;
}

/**
 * Reads the body of a request.
 *
 * @throws (while reading) FlightResourceExhaustedError with status 413 above the limit, FlightTimedOutError with status
 *   408 for a body that comes too slowly, FlightDataError for one that cannot be decompressed, FlightCancelledError when
 *   the client is gone
 * @throws (at once) FlightUnimplementedError with status 415 for codings, encodings and multipart bodies that are not taken
 */
export function createRequestBody(request: IncomingMessage, limits: RequestBodyLimits = {}): RequestBody {
  checkContentType(request.headers['content-type']);
  const decompressor = createDecompressor(request.headers['content-encoding']);
  const timed = withPace(request, limits);
  const pieces = decompressor === undefined ? timed : decompress(timed, decompressor);
  const iterator = pieces[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let seenBytes = 0;

  async function* read(limit: number, what: string): AsyncGenerator<Uint8Array, void, void> {
    let bytes = 0;
    const count = (piece: Uint8Array): Uint8Array => {
      bytes += piece.byteLength;
      if (bytes > limit) throw tooLarge(what, limit);
      return piece;
    };
    try {
      for (const piece of seen.splice(0)) yield count(piece);
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
        yield count(step.value);
    } finally {
      await iterator.return?.(undefined);
    }
  }

  return {
    async peek(byteLength) {
      while (seenBytes < byteLength) {
        const step = await iterator.next();
        if (step.done === true) break;
        seen.push(step.value);
        seenBytes += step.value.byteLength;
      }
      return Buffer.concat(seen).subarray(0, byteLength);
    },
    read,
    async readAll(limit, what) {
      const stated = Number(request.headers['content-length'] ?? 0);
      if (decompressor === undefined && stated > limit) throw tooLarge(what, limit, stated);
      const all: Uint8Array[] = [];
      for await (const piece of read(limit, what)) all.push(piece);
      return Buffer.concat(all);
    },
  };
}

/** Gives the pieces of a request while they come fast enough. */
async function* withPace(
  request: IncomingMessage,
  { idleTimeoutMs = requestIdleTimeoutMs, minBytesPerSecond = minRequestBytesPerSecond }: RequestBodyLimits,
): AsyncGenerator<Uint8Array, void, void> {
  let received = 0;
  let waitedMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let slow: FlightTimedOutError | undefined;
  const giveUp = (reason: string): void => {
    slow = withStatus(new FlightTimedOutError(`the request's body comes too slowly: ${reason}`), 408);
    request.destroy(slow);
  };
  const wait = (): void => {
    timer = setTimeout(() => giveUp(`nothing for ${idleTimeoutMs} ms`), idleTimeoutMs);
  };
  try {
    let since = performance.now();
    wait();
    // What is left of a body that is refused is taken behind the answer.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer);
      if (!(piece instanceof Uint8Array)) continue;
      // Only the time that the client takes counts, not what we do with the pieces.
      waitedMs += performance.now() - since;
      received += piece.byteLength;
      yield piece;
      if (waitedMs > idleTimeoutMs && (received / waitedMs) * 1000 < minBytesPerSecond) {
        giveUp(`${received} bytes in ${Math.round(waitedMs)} ms`);
        throw slow ?? new FlightTimedOutError('the request is too slow');
      }
      since = performance.now();
      wait();
    }
  } catch (error) {
    if (slow !== undefined) throw slow;
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') {
      throw new FlightCancelledError('the client closed the connection before its request was complete', {
        cause: error,
      });
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function* decompress(
  source: AsyncIterable<Uint8Array>,
  decompressor: Transform,
): AsyncGenerator<Uint8Array, void, void> {
  let failure: FlightError | undefined;
  const feeding = (async () => {
    try {
      for await (const piece of source) {
        if (!decompressor.write(piece)) {
          await new Promise<void>((resolve) => {
            decompressor.once('drain', resolve);
            decompressor.once('close', resolve);
          });
        }
        if (decompressor.destroyed) return;
      }
      decompressor.end();
    } catch (error) {
      failure = toFlightError(error);
      decompressor.destroy();
    }
  })();
  try {
    for await (const piece of decompressor) if (piece instanceof Uint8Array) yield piece;
  } catch (error) {
    if (failure !== undefined) throw failure;
    const reason = messageOf(error);
    throw new FlightDataError(`the request's body cannot be decompressed: ${reason}`, { cause: error });
  } finally {
    decompressor.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure;
}

function tooLarge(what: string, limit: number, stated?: number): FlightResourceExhaustedError {
  const size = stated === undefined ? `more than ${limit}` : String(stated);
  return withStatus(
    new FlightResourceExhaustedError(`${what} has ${size} bytes; the limit is ${limit} bytes`),
    413,
  );
}
