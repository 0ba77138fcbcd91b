import type { FastifyInstance } from 'fastify';
import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { HttpContext } from '../context.ts';
import { findFormat, formatNames } from '../formats.ts';
import type { InsertMode } from '../inserts/insert.ts';
import { readInsertOptions, urlParameters } from '../query-request.ts';
import { createRequestBody } from '../request-body.ts';
import { readTableName } from '../sql-clauses.ts';
import { insert, withCall } from './query.ts';

const modes: readonly InsertMode[] = ['append', 'create', 'replace'];

/** `POST /insert` and `POST /insert/{format}` with `?table=`, `&columns=` and `&mode=`. */
export function insertRoutes(app: FastifyInstance, context: HttpContext): void {
  app.post<{ Params: { format?: string } }>('/insert/:format?', async (request, reply) => {
    const url = urlParameters(request);
    const name = url.get('table') ?? '';
    const table = readTableName(name);
    if (table === undefined) {
      throw new FlightInvalidArgumentError(
        `?table= must name a table, such as t or main.t or "my table", not ${JSON.stringify(name)}`,
      );
    }
    const mode = modes.find((known) => known === (url.get('mode') ?? 'append'));
    if (mode === undefined) {
      throw new FlightInvalidArgumentError(
        `?mode= must be one of ${modes.join(', ')}, not ${url.get('mode')}`,
      );
    }
    const named = request.params.format;
    const format = named === undefined || named === '' ? undefined : findFormat(named);
    if (named !== undefined && named !== '' && format === undefined) {
      throw new FlightInvalidArgumentError(`format ${named} is not known; there are ${formatNames()}`);
    }
    const columns = url.get('columns')?.split(',');
    await withCall(request, reply, async (call) => {
      const body = createRequestBody(request.raw, context.limits);
      const head = { table, columns, format: format?.clickHouse[0], end: 0 };
      const options = readInsertOptions(url);
      await insert(context, call, { head, body, skip: 0, options, mode }, request, reply);
    });
    return reply;
  });
}
