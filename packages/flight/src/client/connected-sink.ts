import type { OutgoingMessage } from '../grpc/message.ts';
import type { FlightDataSink } from '../stream/types.ts';
import type { FlightCall } from './call.ts';
import type { Caller } from './caller.ts';

/**
 * The sending side of a call whose first message waits for the connection: so a server that cannot be reached is told
 * to who awaits the first write, not megabytes later.
 */
export function connectedSink(caller: Caller, call: FlightCall<unknown>): FlightDataSink {
  let connecting = true;
  return {
    write(message: OutgoingMessage): boolean {
      const hasRoom = call.write(message);
      return hasRoom && !connecting;
    },
    async drained(): Promise<void> {
      if (connecting) {
        connecting = false;
        // nor longer than the call, which its deadline, its signal or cancel() may end before
        const over = new AbortController();
        const stop = (): void => over.abort();
        call.finished().then(stop, stop);
        // why it failed is the call's own error, which the next line gives
        await caller.context.channel.connect({ signal: over.signal }).catch(() => undefined);
      }
      await call.drained();
    },
    end: () => call.end(),
  };
}
