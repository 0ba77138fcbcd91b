import { type HealthService, createHealthService } from '@peregrine/flight';
import type { Engine, EngineState } from '../engine/types.ts';

/** Whether a server does what it was started for. */
export interface ServerHealth {
  /** What gRPC's health checkers ask. */
  readonly service: HealthService;
  /** Why the server is not ready, for probes over HTTP and the action `healthcheck`; undefined when it is. */
  notReady(): string | undefined;
  /** Looks at the engine no longer. */
  end(): void;
}

/**
 * Watches the engine: a server whose database is no longer valid is not ready until it is opened again. A server that
 * began without SQL, because it was told to or because there is no engine for its platform, is ready without.
 */
export function watchHealth(engine: Engine): ServerHealth {
  const service = createHealthService();
  const hasSql = reasonOf(engine.state) === undefined;
  const notReady = (): string | undefined => (hasSql ? reasonOf(engine.state) : undefined);
  const end = engine.onState(() => service.setStatus(notReady() === undefined ? 'SERVING' : 'NOT_SERVING'));
  return { service, notReady, end };
}

function reasonOf(state: EngineState): string | undefined {
  return state.kind === 'ready' ? undefined : state.reason;
}
