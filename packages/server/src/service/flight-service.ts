import {
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  type FlightHandlers,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnimplementedError,
  SchemaResult,
  type ServerCallContext,
  Ticket,
} from '@peregrine/flight';
import { encapsulate } from '@peregrine/flight/ipc';
import { createFlightSqlHandlers, sqlTicket } from '@peregrine/flight/sql';
import type { DatasetStore } from '../datasets/dataset.ts';
import { createSharedMemory } from '../datasets/shared-memory.ts';
import { answerSchema, describeStatement } from '../sql/plan.ts';
import type { SqlService } from '../sql/service.ts';
import type { Store } from '../store/types.ts';
import { listActionTypes, runAction } from './actions.ts';
import { type FlightCommand, type PutMode, parseCommand, parseDescriptor, toPutMode } from './command.ts';
import { parseCriteria } from './criteria.ts';
import { exchangeQuery } from './exchange.ts';
import { checkAlone, selectOf, wantsAll } from './select.ts';
import { openHandshake } from './open-handshake.ts';
import { type ServedTable, createServedTables } from './served-tables.ts';

/** What the service has besides datasets in memory. */
export interface FlightServiceOptions {
  /** Files, folders and buckets. Default: none. */
  readonly files?: Store | undefined;
  /** SQL. Default: none; then datasets go out as they are, and SQL answers UNIMPLEMENTED. */
  readonly sql?: SqlService | undefined;
  /** Why the server is not ready, undefined when it is, for the action `healthcheck`. Default: it always is. */
  readonly notReady?: (() => string | undefined) | undefined;
  /** Lets any user and password log in: for a server without accounts. Default: false, there is no handshake. */
  readonly acceptAnyLogin?: boolean | undefined;
  /** Bytes that datasets in memory may take together. Default: `maxMemoryDatasetBytes`. */
  readonly maxMemoryBytes?: number | undefined;
  /** Refuses puts and drops. Statements are the engine's to refuse. Default: false. */
  readonly readOnly?: boolean | undefined;
}

/** Names the mode of a put: `create`, `append`, `create_append` or `replace`. */
const putModeHeader = 'x-peregrine-put-mode';

/**
 * Datasets and SQL as flights: by name, by path, by SQL text or JSON as command or ticket, and by the commands of Flight
 * SQL. A dataset that is stored as Arrow goes out as it lies, everything else through the engine.
 *
 * @param memory - datasets in memory; a put adds to them where there is no store that is written to
 */
export function createFlightService(
  memory: DatasetStore,
  {
    acceptAnyLogin = false,
    files,
    maxMemoryBytes,
    notReady = () => undefined,
    readOnly,
    sql,
  }: FlightServiceOptions = {},
): FlightHandlers {
  const tables = createServedTables({
    memory,
    files,
    sql,
    readOnly,
    shared: createSharedMemory(maxMemoryBytes),
  });
  const isDataset = (name: string): boolean => tables.has(name);

  function requireSql(): SqlService {
    if (sql !== undefined) return sql;
    throw new FlightUnimplementedError(
      'this server has no SQL engine: it serves whole datasets, which list_tables names',
    );
  }

  async function find(path: readonly string[], context: ServerCallContext): Promise<ServedTable> {
    const table = await tables.find(path, context);
    if (table !== undefined) return table;
    throw new FlightNotFoundError(
      `there is no dataset ${JSON.stringify(path.join('.'))}; list_tables names those that are there`,
    );
  }

  /** SQL for what cannot go out as it lies; undefined where it can. */
  function sqlFor(table: ServedTable, command: FlightCommand): string | undefined {
    if (wantsAll(command) && table.stream !== undefined) return undefined;
    requireSql();
    if (table.sqlName === undefined) {
      throw new FlightUnimplementedError(`the SQL engine does not know ${table.name}; ask for all of it`);
    }
    return selectOf(table.sqlName, command);
  }

  /** What a command stands for: a table as it lies, or SQL. */
  async function resolve(
    command: FlightCommand,
    context: ServerCallContext,
  ): Promise<{ readonly table: ServedTable } | { readonly text: string }> {
    checkAlone(command);
    if (command.sql !== undefined) return { text: command.sql };
    const table = await find(command.path ?? [], context);
    const text = sqlFor(table, command);
    return text === undefined ? { table } : { text };
  }

  async function infoOfSql(
    text: string,
    descriptor: FlightDescriptor,
    context: ServerCallContext,
  ): Promise<FlightInfo> {
    const { clients, statements } = requireSql();
    const lane = await clients.lane(context, { sql: text });
    const { expirationTime, handle, schema, ...options } = await statements.plan(
      { lane, sql: text },
      context,
    );
    const ticket = sqlTicket({
      kind: 'TicketStatementQuery',
      statementHandle: handle ?? new Uint8Array(0),
    });
    return new FlightInfo(schema, descriptor, [new FlightEndpoint(ticket, [], { expirationTime })], {
      ...options,
      ordered: true,
    });
  }

  /** A whole table: its name is the ticket, which does not expire; what is not stored as Arrow is planned when fetched. */
  async function infoOfTable(table: ServedTable, descriptor: FlightDescriptor): Promise<FlightInfo> {
    const { bytes, rows, schema } = await table.describe();
    const name = table.path.length === 1 ? table.name : JSON.stringify({ dataset: table.path });
    // No location: the data is had over the same connection, whatever name or proxy led here.
    return new FlightInfo(encapsulate(schema), descriptor, [new FlightEndpoint(new Ticket(name))], {
      totalRecords: rows ?? -1,
      totalBytes: bytes ?? -1,
      ordered: true,
    });
  }

  const plain: FlightHandlers = {
    async *listFlights(criteria, context) {
      const isWanted = parseCriteria(criteria);
      for (const table of await tables.list(context)) {
        if (!isWanted(table.name)) continue;
        // A view whose table is gone, or a file that is broken, must not hide all others.
        const info = await infoOfTable(table, FlightDescriptor.forPath(...table.path)).catch(
          (error: unknown) => {
            if (context.isCancelled) throw error;
            return undefined;
          },
        );
        if (info !== undefined) yield info;
      }
    },
    async getFlightInfo(descriptor, context) {
      const command = parseDescriptor(descriptor, isDataset);
      if (command.path !== undefined && wantsAll(command)) {
        return infoOfTable(await find(command.path, context), descriptor);
      }
      const found = await resolve(command, context);
      return 'table' in found
        ? infoOfTable(found.table, descriptor)
        : infoOfSql(found.text, descriptor, context);
    },
    async getSchema(descriptor, context) {
      const found = await resolve(parseDescriptor(descriptor, isDataset), context);
      if ('table' in found) return new SchemaResult(encapsulate((await found.table.describe()).schema));
      const lane = await requireSql().clients.lane(context, { sql: found.text });
      const described = await describeStatement({ lane, sql: found.text }, context.signal);
      return new SchemaResult(encapsulate(answerSchema(described)));
    },
    async doGet(ticket, context) {
      const found = await resolve(parseCommand(ticket.ticket, isDataset), context);
      if ('table' in found && found.table.stream !== undefined) return found.table.stream();
      if ('table' in found) throw new FlightNotFoundError(`${found.table.name} cannot be read`);
      const { clients, statements } = requireSql();
      const lane = await clients.lane(context, { sql: found.text });
      return statements.stream(
        (await statements.plan({ lane, sql: found.text }, context)).handle ?? new Uint8Array(0),
        context,
      );
    },
    async doPut(descriptor, reader, writer, context) {
      const command = parseDescriptor(descriptor, isDataset);
      if (command.path === undefined || command.sql !== undefined) {
        throw new FlightInvalidArgumentError('a put names a dataset: by path, by its name, or as JSON');
      }
      const mode = command.mode ?? modeOfHeader(context) ?? 'replace';
      const outcome = await tables.put(
        command.path,
        mode,
        reader,
        (rows) => writer.write(JSON.stringify({ rows })),
        context,
      );
      await writer.write(JSON.stringify({ ...outcome, done: true }));
    },
    async doExchange(descriptor, reader, writer, context) {
      const command = parseDescriptor(descriptor, isDataset);
      checkAlone(command);
      await exchangeQuery(requireSql(), command, reader, writer, context);
    },
    doAction: (action, context) => runAction({ tables, sql, context, notReady }, action),
    listActions: () => listActionTypes(),
    ...(acceptAnyLogin && { handshake: openHandshake }),
  };
  return createFlightSqlHandlers(sql?.handlers ?? {}, plain);
}

function modeOfHeader(context: ServerCallContext): PutMode | undefined {
  const header = context.headers.get(putModeHeader);
  if (header === undefined) return undefined;
  const mode = toPutMode(header);
  if (mode !== undefined) return mode;
  throw new FlightInvalidArgumentError(
    `the header ${putModeHeader} is ${JSON.stringify(header)}; it may be create, append, create_append or replace`,
  );
}
