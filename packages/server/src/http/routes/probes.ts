import type { FastifyInstance } from 'fastify';
import { FlightUnavailableError } from '@peregrine/flight/errors';
import type { HttpContext } from '../context.ts';

/** What load balancers, orchestrators and Prometheus ask for. */
export function probeRoutes(app: FastifyInstance, context: HttpContext): void {
  const text = 'text/plain; charset=utf-8';
  // Some load balancers ask for the status alone.
  const asHead = { exposeHeadRoute: true };
  app.get('/ping', asHead, (_request, reply) => reply.type(text).send('Ok.\n'));
  // The process answers: that is all that liveness means. A restart would not mend a busy engine.
  app.get('/health', asHead, () => ({ status: 'ok', version: context.version }));
  app.get('/ready', asHead, () => {
    const reason = context.notReady();
    if (reason !== undefined) throw new FlightUnavailableError(`not ready: ${reason}`);
    const { state, statistics } = context.engine;
    return { status: 'ready', ...(state.kind === 'ready' ? {} : { no_sql: state.reason }), ...statistics };
  });
  app.get('/metrics', asHead, async (_request, reply) => {
    const { contentType, body } = await context.metrics.text();
    return reply.header('content-type', contentType).send(body);
  });
}
