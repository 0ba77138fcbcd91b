import { locateError } from '../errors.ts';
import type { FlightResults } from './flight-client.ts';
import type { RetryingCall } from './retrying-call.ts';

const atEnd = { done: true, value: undefined } as const;

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
  function valueOf(message: Uint8Array): T {
    try {
      return decode(message);
    } catch (error) {
      call.cancel('a result could not be decoded');
      throw locateError(error, where);
    }
  }
  async function* iterate(): AsyncGenerator<T, undefined, undefined> {
    for (;;) {
      const message = call.tryRead() ?? (await call.read());
      if (message === undefined) return undefined;
      yield valueOf(message);
    }
  }
  let iterator: AsyncGenerator<T, undefined, undefined> | undefined;
  let taken = false;
  const results: FlightResults<T> = {
    next: () => (taken ? Promise.resolve(atEnd) : (iterator ??= iterate()).next()),
    return(): Promise<IteratorResult<T, undefined>> {
      // before the generator: one that waits for a message would not hear of it
      call.cancel('the caller left the loop');
      return (iterator ??= iterate()).return(undefined);
    },
    async toArray(): Promise<T[]> {
      const values: T[] = [];
      if (iterator !== undefined || taken) {
        for await (const value of results) values.push(value);
        return values;
      }
      // Most calls are small, and a generator costs as much as all the rest of one.
      taken = true;
      for (;;) {
        const message = call.tryRead() ?? (await call.read());
        if (message === undefined) return values;
        values.push(valueOf(message));
      }
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
