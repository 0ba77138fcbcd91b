import { type Caller, type CallerContext, createCaller } from '../../src/client/caller.ts';
import { createRetryPolicy } from '../../src/client/retry.ts';
import { scriptedChannel, type ScriptedCall } from './fake-channel.ts';

/** A caller over a scripted channel, that tries again without waiting. */
export function scriptedCaller(
  script: (call: ScriptedCall) => void | Promise<void>,
  context: Partial<CallerContext> = {},
): { caller: Caller; calls: readonly ScriptedCall[]; running: ReadonlySet<unknown> } {
  const channel = scriptedChannel(script);
  const running = new Set<unknown>();
  const caller = createCaller({
    location: 'grpc://test:1',
    channel,
    breaker: undefined,
    credentials: undefined,
    middleware: [],
    retry: createRetryPolicy({ initialDelayMs: 0, maxDelayMs: 0 }),
    timeoutMs: undefined,
    ipc: {},
    running: {
      closed: false,
      add: (call) => void running.add(call),
      delete: (call) => void running.delete(call),
    },
    ...context,
  });
  return { caller, calls: channel.calls, running };
}
