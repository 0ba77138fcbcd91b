import { locateError } from '../errors.ts';
import type { FlightResults } from './flight-client.ts';
import type { RetryingCall } from './retrying-call.ts';

/**
 * The messages of a call as an iterator of decoded values.
 *
 * @param decode - makes a value of a message; when it throws the call is cancelled
 * @param where - the call, for errors of `decode`
 */
export function createResults<T>(
  call: RetryingCall<Uint8Array>,
  decode: (message: Uint8Array) => T,
  where: string,
): FlightResults<T> {
  async function* iterate(): AsyncGenerator<T, undefined, undefined> {
    for (;;) {
      const message = call.tryRead() ?? (await call.read());
      if (message === undefined) return undefined;
      let value: T;
      try {
        value = decode(message);
      } catch (error) {
        call.cancel('a result could not be decoded');
        throw locateError(error, where);
      }
      yield value;
    }
  }
  const iterator = iterate();
  const results: FlightResults<T> = {
    next: () => iterator.next(),
    return(): Promise<IteratorResult<T, undefined>> {
      // before the generator: one that waits for a message would not hear of it
      call.cancel('the caller left the loop');
      return iterator.return(undefined);
    },
    async toArray(): Promise<T[]> {
      const values: T[] = [];
      for await (const value of results) values.push(value);
      return values;
    },
    cancel(reason?: string): void {
      call.cancel(reason);
    },
    [Symbol.asyncIterator]: () => results,
    async [Symbol.asyncDispose](): Promise<void> {
      await results.return();
    },
  };
  return results;
}
