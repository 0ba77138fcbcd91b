import { FlightUnimplementedError } from '../errors.ts';
import { BytesDecoder, type GrpcMethod } from '../grpc/index.ts';
import { Action, Result } from '../model/index.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { forEachOf } from './many.ts';
import { decodeRequest, readRequest, sendMessage } from './messages.ts';
import { runPredefinedAction } from './predefined-actions.ts';
import type { ActionResult } from './types.ts';

/** DoAction: Action → stream of Result. Predefined actions go to their own handlers where there are such. */
export function doActionMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'DoAction',
    () => new BytesDecoder(),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      const action = decodeRequest('Action', Action, await readRequest(call));
      const predefined = runPredefinedAction(handlers, action, context);
      if (predefined !== undefined) {
        await sendMessage(sink, new Result(await predefined).serialize());
        return;
      }
      if (handlers.doAction === undefined) {
        throw new FlightUnimplementedError(`this server has no action "${action.type}"`);
      }
      const results = await handlers.doAction(action, context);
      if (results === undefined) return;
      if (isOne(results)) await sendMessage(sink, toResult(results).serialize());
      else await forEachOf(results, call.signal, (result) => sendMessage(sink, toResult(result).serialize()));
    },
  );
}

/** Text and bytes can be iterated as well, but here they are one result. */
function isOne(
  results: ActionResult | Iterable<ActionResult> | AsyncIterable<ActionResult>,
): results is ActionResult {
  return typeof results === 'string' || results instanceof Uint8Array || results instanceof Result;
}

function toResult(result: ActionResult): Result {
  return result instanceof Result ? result : new Result(result);
}
