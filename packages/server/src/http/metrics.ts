import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Engine } from '../engine/types.ts';

/** What `/metrics` counts of HTTP. */
export interface HttpMetrics {
  /** One request was answered. */
  request(route: string, method: string, status: number, seconds: number): void;
  /** Rows and bytes of a result went out. */
  sent(format: string, rows: number, bytes: number): void;
  /** Rows came in. */
  inserted(format: string, rows: number): void;
  /** A result broke off after its status was sent. */
  broken(code: string): void;
  /** Everything, in Prometheus' text format. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Counts in a registry of its own, so that several servers of one process do not mix. */
export function createHttpMetrics(engine: Engine): HttpMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'peregrine_http_requests_total',
    help: 'Requests answered over HTTP',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'peregrine_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300],
    registers,
  });
  const rowsOut = new Counter({
    name: 'peregrine_http_rows_sent_total',
    help: 'Rows of results sent over HTTP',
    labelNames: ['format'],
    registers,
  });
  const bytesOut = new Counter({
    name: 'peregrine_http_bytes_sent_total',
    help: 'Bytes of results sent over HTTP, before compression',
    labelNames: ['format'],
    registers,
  });
  const rowsIn = new Counter({
    name: 'peregrine_http_rows_inserted_total',
    help: 'Rows inserted over HTTP',
    labelNames: ['format'],
    registers,
  });
  const brokenOff = new Counter({
    name: 'peregrine_http_results_broken_total',
    help: 'Results that broke off after their status was sent',
    labelNames: ['code'],
    registers,
  });
  gauge('peregrine_engine_ready', 'Whether the engine takes statements: 1 or 0', () =>
    engine.state.kind === 'ready' ? 1 : 0,
  );
  gauge('peregrine_engine_connections', 'Open connections', () => engine.statistics.connections);
  gauge('peregrine_engine_running', 'Statements that run', () => engine.statistics.running);
  gauge('peregrine_engine_queued', 'Statements that wait for others', () => engine.statistics.queued);
  gauge(
    'peregrine_engine_batch_bytes',
    'Native memory of batches on their way',
    () => engine.statistics.batchBytes,
  );

  function gauge(name: string, help: string, read: () => number): void {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  }

  return {
    request(route, method, status, seconds) {
      requests.inc({ route, method, status });
      duration.observe({ route }, seconds);
    },
    sent(format, rows, bytes) {
      rowsOut.inc({ format }, rows);
      bytesOut.inc({ format }, bytes);
    },
    inserted: (format, rows) => rowsIn.inc({ format }, rows),
    broken: (code) => brokenOff.inc({ code }),
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
