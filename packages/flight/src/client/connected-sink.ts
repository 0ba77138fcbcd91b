import type { OutgoingMessage } from '../grpc/message.ts';
import type { FlightDataSink } from '../stream/types.ts';
import type { FlightCall } from './call.ts';
import type { Caller } from './caller.ts';
import type { FlightCallOptions } from './options.ts';

/**
 * The sending side of a call whose first message waits for the connection: so a server that cannot be reached is told
 * to who awaits the first write, not megabytes later.
 */
export function connectedSink(
  caller: Caller,
  call: FlightCall<unknown>,
  options: FlightCallOptions,
): FlightDataSink {
  let connecting = true;
  return {
    write(message: OutgoingMessage): boolean {
      const hasRoom = call.write(message);
      return hasRoom && !connecting;
    },
    async drained(): Promise<void> {
      if (connecting) {
        connecting = false;
        const { timeoutMs = caller.context.timeoutMs, signal } = options;
        // why it failed is the call's own error, which the next line gives
        await caller.context.channel.connect({ timeoutMs, signal }).catch(() => undefined);
      }
      await call.drained();
    },
    end: () => call.end(),
  };
}
