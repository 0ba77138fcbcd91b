import type { ServerCallContext } from '@peregrine/flight';
import { createSessionHandlers } from '@peregrine/flight/server';
import { encapsulate } from '@peregrine/flight/ipc';
import type { FlightSqlHandlers } from '@peregrine/flight/sql';
import type { Engine, EngineConnection } from '../engine/types.ts';
import { defaultTransactionIdleMs } from '../limits.ts';
import { Clients, isJava } from './clients.ts';
import type { ServerFacts } from './info/sql-info.ts';
import { metadataHandlers } from './metadata.ts';
import { readParameters, readTableRows } from './parameters.ts';
import { type StatementRequest, answerSchema, executeStatement, givesRows } from './plan.ts';
import { describePrepared, javaParameters } from './prepare.ts';
import { type PreparedStatement, createPreparedStatements } from './prepared.ts';
import { fieldCount } from '../engine/rows.ts';
import { inOrder } from './session-settings.ts';
import { Statements } from './statements.ts';

/** How SQL is served. */
export interface SqlServiceOptions extends Partial<ServerFacts> {
  /** How long the ticket of a query lives, in milliseconds. Default: 10 minutes. */
  readonly ticketLifeMs?: number | undefined;
  /**
   * Tickets that are kept after their rows were fetched, to be fetched again: more are forgotten before their time.
   * Default: 10,000.
   */
  readonly maxFetchedTickets?: number | undefined;
  /** How long a prepared statement lives without being used, in milliseconds. Default: an hour. */
  readonly preparedLifeMs?: number | undefined;
  /** Told of each statement before the engine looks at it, to make ready what it names. Default: nothing. */
  readonly prepareFor?: ((sql: string) => Promise<void>) | undefined;
}

/** SQL as it is served. */
export interface SqlService {
  /** The engine that runs the SQL. */
  readonly engine: Engine;
  /** For `createFlightSqlHandlers`. */
  readonly handlers: FlightSqlHandlers;
  /** Where statements of the clients run: for what else takes SQL. */
  readonly clients: Clients;
  /** The statements that tickets name. */
  readonly statements: Statements;
  /** Rolls back what is open and frees all connections; the engine stays open. */
  close(): Promise<void>;
}

/** Serves Flight SQL by an engine. */
export function createSqlService(engine: Engine, options: SqlServiceOptions = {}): SqlService {
  const transactionTimeoutMs = options.transactionTimeoutMs ?? defaultTransactionIdleMs;
  const clients = new Clients(engine, transactionTimeoutMs, options.prepareFor);
  const statements = new Statements(
    options.ticketLifeMs,
    (connection) => watchProgress(engine, connection),
    options.maxFetchedTickets,
  );
  const prepared = createPreparedStatements(options.preparedLifeMs);
  const facts: ServerFacts = {
    readOnly: options.readOnly ?? false,
    statementTimeoutMs: options.statementTimeoutMs ?? 0,
    transactionTimeoutMs,
    version: options.version ?? '',
  };

  async function requestOf(
    sql: string,
    transactionId: Uint8Array | undefined,
    context: ServerCallContext,
  ): Promise<StatementRequest> {
    const lane = await clients.lane(context, { sql, transactionId });
    return { lane, sql, plain: await clients.wantsPlainTypes(context) };
  }

  async function preparedRequest(
    statement: PreparedStatement,
    context: ServerCallContext,
  ): Promise<StatementRequest> {
    const { parameters, plain, sql, transactionId } = statement;
    const lane = await clients.lane(context, { sql, transactionId, joinTransaction: true });
    return { lane, sql, parameters, plain };
  }

  const sessionHandlers = createSessionHandlers({
    check: (name, value, context) => clients.checkOption(name, value, context),
  });

  const handlers: FlightSqlHandlers = {
    // queries
    async getFlightInfoStatement({ query, transactionId }, context) {
      return statements.plan(await requestOf(query, transactionId, context), context);
    },
    async getSchemaStatement({ query, transactionId }, context) {
      const request = await requestOf(query, transactionId, context);
      return encapsulate(answerSchema(await describePrepared(request, context.signal)));
    },
    async pollFlightInfoStatement({ query, transactionId }, context, descriptor) {
      return statements.poll(await requestOf(query, transactionId, context), context, descriptor);
    },
    pollFlightInfoHandle: (handle, context, descriptor) => statements.pollAgain(handle, context, descriptor),
    doGetStatement: (handle, context) => statements.stream(handle, context),
    async doPutStatementUpdate({ query, transactionId }, context) {
      return countOf(await executeStatement(await requestOf(query, transactionId, context), context.signal));
    },

    // prepared statements
    async createPreparedStatement({ query, transactionId }, context) {
      const request = await requestOf(query, transactionId, context);
      const { kind, parameterSchema, resultSchema } = await describePrepared(request, context.signal);
      const handle = prepared.add(
        {
          sql: query,
          hasParameters: fieldCount(parameterSchema) > 0,
          transactionId,
          parameters: undefined,
          plain: request.plain === true,
        },
        context,
      );
      const hasRows = kind === 'query' || givesRows(resultSchema);
      return {
        handle,
        datasetSchema: hasRows && resultSchema !== undefined ? encapsulate(resultSchema) : undefined,
        parameterSchema: encapsulate(isJava(context) ? javaParameters(parameterSchema) : parameterSchema),
        isUpdate: !hasRows,
      };
    },
    closePreparedStatement: (handle, context) => prepared.remove(handle, context),
    async doPutPreparedStatementQuery({ preparedStatementHandle }, parameters, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      statement.parameters = await readParameters(parameters);
      return preparedStatementHandle;
    },
    async doPutPreparedStatementUpdate({ preparedStatementHandle }, parameters, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      const request = await preparedRequest(statement, context);
      // Without parameters there is nothing to wait for: Arrow's C++ client reads the answer before it ends its side.
      const bound = statement.hasParameters ? await readParameters(parameters) : undefined;
      const run = { ...request, parameters: bound ?? request.parameters };
      return countOf(await executeStatement(run, context.signal));
    },
    async getFlightInfoPreparedStatement({ preparedStatementHandle }, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      return statements.plan(await preparedRequest(statement, context), context);
    },
    async getSchemaPreparedStatement({ preparedStatementHandle }, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      const request = await preparedRequest(statement, context);
      return encapsulate(answerSchema(await describePrepared(request, context.signal)));
    },
    async pollFlightInfoPreparedStatement({ preparedStatementHandle }, context, descriptor) {
      const statement = prepared.get(preparedStatementHandle, context);
      return statements.poll(await preparedRequest(statement, context), context, descriptor);
    },
    async doGetPreparedStatement({ preparedStatementHandle }, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      const { handle } = await statements.plan(await preparedRequest(statement, context), context);
      return statements.stream(handle ?? new Uint8Array(0), context);
    },

    // bulk ingest and transactions
    async doPutStatementIngest(command, rows, context) {
      const { catalog, ifExists, ifMissing, schema, table, temporary, transactionId } = command;
      const incoming = await readTableRows(table, rows);
      const lane = await clients.lane(context, {
        transactionId,
        stateful: temporary,
        joinTransaction: true,
      });
      return lane.run((connection) =>
        connection.ingest(
          { table, catalog, schema, temporary, ifMissing, ifExists, signal: context.signal },
          incoming.schema,
          incoming.batches,
        ),
      );
    },
    beginTransaction: (context) => clients.begin(context),
    endTransaction: ({ action, transactionId }, context) => clients.end(transactionId, action, context),

    // predefined actions
    cancelFlightInfo: ({ info }, context) => statements.cancel(info, context),
    renewFlightEndpoint: (endpoint, context) => statements.renew(endpoint, context),
    setSessionOptions: (wanted, context) => sessionHandlers.setSessionOptions(inOrder(wanted), context),
    getSessionOptions: (context) => clients.options(context),
    closeSession: (context) => clients.closeSession(context),

    ...metadataHandlers(engine, clients, facts),
  };

  return {
    engine,
    handlers,
    clients,
    statements,
    async close() {
      statements.close();
      prepared.close();
      await clients.close();
    },
  };
}

/** DuckDB counts how far a statement is only for a progress bar, which is not to be printed. */
async function watchProgress({ info }: Engine, connection: EngineConnection): Promise<void> {
  if (info.dialect !== 'duckdb') return;
  for (const setting of [
    'enable_progress_bar = true',
    'enable_progress_bar_print = false',
    'progress_bar_time = 0',
  ]) {
    await connection.execute(`SET ${setting}`);
  }
}

/**
 * The rows changed, 0 where there is no such number. The format says -1 for that, but Apache's JDBC driver takes -1 for
 * "this was a query" and runs the statement again, now as one.
 */
function countOf(rows: bigint): bigint {
  return rows < 0n ? 0n : rows;
}
