import { createSessionHandlers } from '@peregrine/flight/server';
import type { FlightSqlHandlers } from '@peregrine/flight/sql';
import type { Engine, EngineConnection } from '../engine/types.ts';
import { defaultTransactionIdleMs } from '../limits.ts';
import { checkTimes, checkWhole } from '../option-checks.ts';
import { Clients } from './clients.ts';
import type { ServerFacts } from './info/sql-info.ts';
import { metadataHandlers } from './metadata.ts';
import { readTableRows } from './parameters.ts';
import { preparedHandlers } from './prepared-handlers.ts';
import { createPreparedStatements } from './prepared.ts';
import { queryHandlers } from './query-handlers.ts';
import { inOrder } from './session-settings.ts';
import { Statements } from './statements.ts';
import { explainViews } from './view-error.ts';

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
  /** Bytes of all prepared statements' texts and of what is bound to them. Default: 1 GiB. */
  readonly maxPreparedBytes?: number | undefined;
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

/**
 * Serves Flight SQL by an engine.
 *
 * @throws FlightInvalidArgumentError for a number of the options that means nothing
 */
export function createSqlService(served: Engine, options: SqlServiceOptions = {}): SqlService {
  const { maxFetchedTickets, maxPreparedBytes, preparedLifeMs, ticketLifeMs, statementTimeoutMs } = options;
  checkWhole({ maxFetchedTickets, maxPreparedBytes }, 0);
  checkTimes({ ticketLifeMs, preparedLifeMs, statementTimeoutMs }, 0);
  checkTimes({ transactionTimeoutMs: options.transactionTimeoutMs }, 1);
  const engine = explainViews(served);
  const transactionTimeoutMs = options.transactionTimeoutMs ?? defaultTransactionIdleMs;
  const clients = new Clients(engine, transactionTimeoutMs, options.prepareFor);
  const statements = new Statements(
    ticketLifeMs,
    (connection) => watchProgress(engine, connection),
    maxFetchedTickets,
  );
  const prepared = createPreparedStatements(preparedLifeMs, maxPreparedBytes);
  const facts: ServerFacts = {
    readOnly: options.readOnly ?? false,
    statementTimeoutMs: statementTimeoutMs ?? 0,
    transactionTimeoutMs,
    version: options.version ?? '',
  };

  const sessionHandlers = createSessionHandlers({
    check: (name, value, context) => clients.checkOption(name, value, context),
  });

  const handlers: FlightSqlHandlers = {
    ...queryHandlers(clients, statements),
    ...preparedHandlers(clients, statements, prepared),
    ...metadataHandlers(engine, clients, facts),

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
