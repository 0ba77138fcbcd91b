import type { FastifyInstance } from 'fastify';
import { FlightError, FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight/errors';
import { decodeMessageHeader, decodeSchema, encapsulate } from '@peregrine/flight/ipc';
import { parseAccept } from '../accept.ts';
import { clickHouseType } from '../clickhouse-type.ts';
import type { HttpContext } from '../context.ts';
import { httpFormat } from '../formats.ts';
import { listTables } from '../list-tables.ts';
import { withoutPlace } from '../own-statement.ts';
import { readTableName } from '../sql-clauses.ts';
import { querySchema } from '../../engine/rows.ts';
import { quotePath } from '../../engine/sql-text.ts';

/** `GET /tables` and `GET /schema/{table}`. */
export function tableRoutes(app: FastifyInstance, context: HttpContext): void {
  const asHead = { exposeHeadRoute: true };
  app.get('/tables', asHead, async () => ({ tables: await listTables(context) }));

  app.get<{ Params: { table: string } }>('/schema/:table', asHead, async (request, reply) => {
    const { table } = request.params;
    const header = await schemaOf(context, table);
    void reply.header('vary', 'accept, origin');
    const arrow = httpFormat('arrow').contentType;
    if (parseAccept(request.headers.accept ?? '').some(({ value }) => value === arrow)) {
      return reply.type(arrow).send(Buffer.from(encapsulate(header)));
    }
    const schema = decodeSchema(decodeMessageHeader(header));
    return {
      table,
      columns: schema.fields.map((field) => ({
        name: field.name,
        type: String(field.type),
        clickhouse_type: clickHouseType(field),
        nullable: field.nullable,
        ...(field.metadata.size === 0 ? {} : { metadata: Object.fromEntries(field.metadata) }),
      })),
    };
  });
}

/** The schema of a table by its name as it is, or as people write it: `main.t`. */
async function schemaOf({ engine, store }: HttpContext, table: string): Promise<Uint8Array> {
  const stored = store?.get(table);
  if (engine.state.kind !== 'ready') {
    if (stored?.schema === undefined) throw noTable(table);
    return stored.schema;
  }
  const connection = await engine.connect();
  try {
    const written = readTableName(table);
    const names = written === undefined || written.length === 1 ? [[table]] : [[table], written];
    let last: unknown = noTable(table);
    for (const name of names) {
      try {
        await store?.use(table);
        const header = await querySchema(connection, `SELECT * FROM ${quotePath(...name)}`);
        if (header !== undefined) return header;
      } catch (error) {
        if (!(error instanceof FlightError) || error.code !== 'NOT_FOUND') throw error;
        last = error;
      }
    }
    if (stored?.schema !== undefined) return stored.schema;
    if (last instanceof FlightError) throw withoutPlace(last);
    throw new FlightInvalidArgumentError(`the schema of ${table} cannot be read`, { cause: last });
  } finally {
    await connection.close();
  }
}

function noTable(table: string): FlightNotFoundError {
  return new FlightNotFoundError(`there is no table ${table}; GET /tables names those that are there`);
}
