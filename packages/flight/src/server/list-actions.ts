import { FlightUnimplementedError } from '../errors.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { maxRequestBytes } from '../limits/server.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { forEachOf } from './many.ts';
import { readRequest, sendMessage } from './messages.ts';
import { RequestDecoder } from './request-decoder.ts';
import { handledPredefinedActions } from './predefined-actions.ts';

/** ListActions: Empty → stream of ActionType; what the application lists, then the predefined actions that it handles. */
export function listActionsMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'ListActions',
    () => new RequestDecoder('ListActions', maxRequestBytes),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      const predefined = handledPredefinedActions(handlers);
      if (handlers.listActions === undefined && predefined.length === 0) {
        throw new FlightUnimplementedError('this server has no ListActions');
      }
      await readRequest(call);
      const listed = new Set<string>();
      if (handlers.listActions !== undefined) {
        await forEachOf(await handlers.listActions(context), call.signal, (action) => {
          listed.add(action.type);
          return sendMessage(sink, action.serialize());
        });
      }
      for (const action of predefined) {
        if (!listed.has(action.type)) await sendMessage(sink, action.serialize());
      }
    },
  );
}
