import type {
  FlightDataStream,
  FlightDescriptor,
  FlightHandlers,
  FlightStreamReader,
  FlightMetadataWriter,
  ServerCallContext,
} from '@peregrine/flight';
import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { createFlightSqlHandlers } from '@peregrine/flight/sql';
import type { DatasetStore } from '../datasets/dataset.ts';
import { createSharedMemory } from '../datasets/shared-memory.ts';
import type { SqlService } from '../sql/service.ts';
import type { Store } from '../store/types.ts';
import { checkWhole } from '../option-checks.ts';
import { listActionTypes, runAction } from './actions.ts';
import { type FlightCommand, type PutMode, parseCommand, parseDescriptor, toPutMode } from './command.ts';
import { exchangeQuery } from './exchange.ts';
import { getInfo, getSchema, listFlights, pollInfo } from './infos.ts';
import { openHandshake } from './open-handshake.ts';
import { type ServiceParts, requestFor, requireSql, wantedBy } from './requests.ts';
import { wantsAll } from './select.ts';
import { createServedTables } from './served-tables.ts';

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
  checkWhole({ maxMemoryBytes }, 0);
  const tables = createServedTables({
    memory,
    files,
    sql,
    readOnly,
    shared: createSharedMemory(maxMemoryBytes),
  });
  const parts: ServiceParts = { tables, sql };
  const isDataset = (name: string): boolean => tables.has(name);
  const commandOf = (descriptor: FlightDescriptor): FlightCommand => parseDescriptor(descriptor, isDataset);
  const plain: FlightHandlers = {
    listFlights: (criteria, context) => listFlights(parts, criteria, context),
    getFlightInfo: async (descriptor, context) => getInfo(parts, commandOf(descriptor), descriptor, context),
    pollFlightInfo: async (descriptor, context) =>
      pollInfo(parts, commandOf(descriptor), descriptor, context),
    getSchema: async (descriptor, context) => getSchema(parts, commandOf(descriptor), context),
    doGet: async ({ ticket }, context) => getRows(parts, parseCommand(ticket, isDataset), context),
    doPut: async (descriptor, reader, writer, context) =>
      putRows(parts, commandOf(descriptor), reader, writer, context),
    doExchange: async (descriptor, reader, writer, context) =>
      exchangeQuery(requireSql(parts), commandOf(descriptor), reader, writer, context),
    doAction: (action, context) => runAction({ tables, sql, context, notReady }, action),
    listActions: () => listActionTypes(),
    ...(acceptAnyLogin && { handshake: openHandshake }),
  };
  return createFlightSqlHandlers(sql?.handlers ?? {}, plain);
}

/** The rows that a ticket stands for. */
async function getRows(
  parts: ServiceParts,
  command: FlightCommand,
  context: ServerCallContext,
): Promise<FlightDataStream> {
  const wanted = await wantedBy(parts, command, context);
  if (wanted.kind === 'table') return wanted.stream();
  const sql = requireSql(parts);
  const { handle } = await sql.statements.plan(await requestFor(sql, wanted.text, context), context);
  return sql.statements.stream(handle ?? new Uint8Array(0), context);
}

/** Stores the rows that a client sends, and tells it how many as they come. */
async function putRows(
  { tables }: ServiceParts,
  command: FlightCommand,
  reader: FlightStreamReader,
  writer: FlightMetadataWriter,
  context: ServerCallContext,
): Promise<void> {
  const { path } = command;
  if (path === undefined || !wantsAll(command)) {
    throw new FlightInvalidArgumentError(
      'a put names a dataset: by path, by its name, or as JSON with "dataset" and "mode" alone',
    );
  }
  const mode = command.mode ?? modeOfHeader(context) ?? 'replace';
  const onBatch = (rows: number): Promise<void> => writer.write(JSON.stringify({ rows }));
  const outcome = await tables.put(path, { mode, rows: reader, onBatch, context });
  await writer.write(JSON.stringify({ ...outcome, done: true }));
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
