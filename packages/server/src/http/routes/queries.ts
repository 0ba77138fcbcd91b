import type { FastifyInstance } from 'fastify';
import { FlightNotFoundError } from '@peregrine/flight/errors';
import type { HttpContext } from '../context.ts';

/** `GET /queries` shows what runs over HTTP, `DELETE /queries/{id}` cancels it. */
export function runningRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get('/queries', { exposeHeadRoute: true }, () => ({
    queries: context.running.list().map(({ id, sql, startedAt, rows }) => ({
      query_id: id,
      sql,
      started_at: startedAt.toISOString(),
      rows,
    })),
  }));
  app.delete<{ Params: { id: string } }>('/queries/:id', (request) => {
    const { id } = request.params;
    if (!context.running.cancel(id)) {
      throw new FlightNotFoundError(`no statement ${id} runs; GET /queries shows those that do`);
    }
    return { query_id: id, cancelled: true };
  });
}
