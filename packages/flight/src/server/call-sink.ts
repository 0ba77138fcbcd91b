import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GrpcMessageSink } from '../grpc/index.ts';
import { maxHandlerSliceMs } from '../limits/server.ts';
import type { FlightDataSink } from '../stream/types.ts';

/**
 * The sending side of a call for handlers.
 *
 * A generator that has always something to give would keep the event loop to itself, as promises that are resolved
 * already never leave it: until the transport is full no other call would run, and no cancellation be heard. So after
 * a slice of time the sink asks its producer to wait, and lets everything else have a turn.
 *
 * The end of a stream is not the end of the call: its status is set when the handler is done.
 */
export function callSink(call: GrpcMessageSink): FlightDataSink {
  let sliceStart = performance.now();
  let isSliceOver = false;
  return {
    write(message) {
      const hasRoom = call.write(message);
      isSliceOver ||= performance.now() - sliceStart > maxHandlerSliceMs;
      return hasRoom && !isSliceOver;
    },
    async drained() {
      if (isSliceOver) await nextTurn();
      await call.drained();
      isSliceOver = false;
      sliceStart = performance.now();
    },
    end: () => undefined,
  };
}
