import { FlightCancelledError } from '@peregrine/flight/errors';

/** Takes turns: one after the other, in the order in which they asked. */
export interface Turns {
  /**
   * Waits for the turn and gives the function that ends it.
   *
   * @throws FlightCancelledError when the signal says so while it waits
   */
  take(signal?: AbortSignal): Promise<() => void>;
}

/** Makes one. */
export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(signal) {
      let end: () => void = () => undefined;
      const before = last;
      last = new Promise<void>((resolve) => {
        end = resolve;
      }).then(() => before);
      if (signal === undefined) {
        await before;
        return end;
      }
      let onAbort = (): void => undefined;
      const aborted = new Promise<'aborted'>((resolve) => {
        onAbort = () => resolve('aborted');
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      });
      const first = await Promise.race([before, aborted]);
      // A call that runs many statements has one signal for all of them.
      signal.removeEventListener('abort', onAbort);
      if (first === 'aborted') {
        end();
        throw new FlightCancelledError('the statement was cancelled while it waited for its connection');
      }
      return end;
    },
  };
}
