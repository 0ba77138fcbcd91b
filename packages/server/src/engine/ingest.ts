import { FlightError, FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight/errors';
import type { ConnectionCore } from './connection.ts';
import { createDictionaryInputs, createSpareBlocks, takeInput, type TakenInput } from './inputs.ts';
import { checkDuckDbTypes } from './input-types.ts';
import { fieldNames } from './rows.ts';
import { inOwnTransaction } from './own-transaction.ts';
import { quoteIdentifier, quoteLiteral } from './sql-text.ts';
import type { EngineIngestOptions, EngineInput } from './types.ts';
import type { DriverOption } from './worker/messages.ts';

/** What the ingest needs of its connection, which is busy with it. */
export interface IngestConnection extends ConnectionCore {
  /** Runs SQL on the busy connection. */
  execute(sql: string): Promise<bigint>;
}

let staged = 0;

/** Bulk ingest into DuckDB: see {@link EngineConnection.ingest}. */
export async function ingestToDuckDb(
  connection: IngestConnection,
  options: EngineIngestOptions,
  schema: Uint8Array,
  batches: AsyncIterable<EngineInput>,
): Promise<bigint> {
  if (options.table === '') throw new FlightInvalidArgumentError('the table to ingest into has no name');
  checkDuckDbTypes(schema);
  const target = options.isNew === true ? newTarget(options) : await locate(connection, options);
  if (target.columns === undefined && options.ifMissing === 'fail') {
    throw new FlightNotFoundError(`Catalog Error: Table with name ${options.table} does not exist!`);
  }
  if (target.columns !== undefined && options.ifExists === 'fail') {
    throw new FlightError(
      'ALREADY_EXISTS',
      `Catalog Error: Table with name "${options.table}" already exists!`,
    );
  }
  const isOpen = await connection.inTransaction();
  if (isOpen) return ingestStaged(connection, options, target, schema, batches);
  const columns = target.columns !== undefined && options.ifExists === 'append' ? target.columns : undefined;
  await connection.execute('BEGIN TRANSACTION');
  let rows: bigint;
  try {
    if (target.columns !== undefined && columns === undefined)
      await connection.execute(`DROP TABLE ${target.name}`);
    rows = await pour(connection, target.options, columns, schema, batches, options.signal);
  } catch (error) {
    await connection.execute('ROLLBACK').catch(() => undefined);
    if (error instanceof RefusedBatch && columns !== undefined)
      throw await reasonOf(connection, target.name, columns, schema, error);
    throw error;
  }
  await connection.execute('COMMIT');
  return rows;
}

/**
 * DuckDB's driver appends a batch, and says that it has done so also when the rows do not fit a constraint of the table.
 * What tells is that the transaction has failed by then, which all statements after it are told, but for COMMIT: it rolls
 * back and says nothing.
 */
class RefusedBatch extends Error {
  readonly inputs: readonly TakenInput['input'][];

  constructor(inputs: readonly TakenInput['input'][], cause: unknown) {
    super('the table refused a batch', { cause });
    this.inputs = inputs;
  }
}

/** Why a table refused a batch: an INSERT of the same rows, which is rolled back, says it. */
async function reasonOf(
  connection: IngestConnection,
  target: string,
  columns: readonly string[],
  schema: Uint8Array,
  { inputs, cause }: RefusedBatch,
): Promise<FlightError> {
  const name = `peregrine_ingest_${++staged}`;
  try {
    await connection.execute('BEGIN TRANSACTION');
    await giveBatches(connection, { table: name, temporary: true }, 'create', schema.slice(), inputs);
    await connection.execute(`INSERT INTO ${target} ${selectStaged(columns, schema, name)}`);
  } catch (error) {
    if (error instanceof FlightError) return error;
    throw error;
  } finally {
    await connection.execute('ROLLBACK').catch(() => undefined);
  }
  return new FlightInvalidArgumentError(
    'the rows do not fit a constraint of the table together with rows before them in the same ingest, such as a key that ' +
      'comes twice; none was taken',
    { cause },
  );
}

/** The rows of a table that an ingest made, in the order of the columns that they are for. */
function selectStaged(columns: readonly string[], schema: Uint8Array, table: string): string {
  const order = columnOrder(columns, schema);
  const names = fieldNames(schema);
  const list =
    order === undefined ? '*' : order.map((index) => quoteIdentifier(names[index] ?? '')).join(', ');
  return `SELECT ${list} FROM temp.main.${quoteIdentifier(table)}`;
}

/**
 * Inside of a transaction of somebody else's, what came before must stay when the stream breaks off: rows are gathered
 * in a temporary table, and move to the target by one statement.
 */
async function ingestStaged(
  connection: IngestConnection,
  options: EngineIngestOptions,
  target: Target,
  schema: Uint8Array,
  batches: AsyncIterable<EngineInput>,
): Promise<bigint> {
  const name = `peregrine_ingest_${++staged}`;
  const stage = `temp.main.${quoteIdentifier(name)}`;
  const place = placeOf({ table: name, temporary: true });
  try {
    const rows = await pour(connection, place, undefined, schema, batches, options.signal);
    if (target.columns !== undefined && options.ifExists === 'append') {
      await connection.execute(`INSERT INTO ${target.name} ${selectStaged(target.columns, schema, name)}`);
    } else {
      const kind = options.temporary === true ? 'TEMPORARY TABLE' : 'TABLE';
      if (target.columns !== undefined) await connection.execute(`DROP TABLE ${target.name}`);
      await connection.execute(`CREATE ${kind} ${target.name} AS FROM ${stage}`);
    }
    return rows;
  } finally {
    await connection.execute(`DROP TABLE IF EXISTS ${stage}`).catch(() => undefined);
  }
}

/** ADBC's names of the options of an ingest. */
const ingestOptions = {
  table: 'adbc.ingest.target_table',
  catalog: 'adbc.ingest.target_catalog',
  schema: 'adbc.ingest.target_db_schema',
  temporary: 'adbc.ingest.temporary',
  mode: 'adbc.ingest.mode',
} as const;

/** A table that is not there, so that nobody has to look what it is like. */
function newTarget({ catalog, schema, table, temporary }: EngineIngestOptions): Target {
  return {
    name: [catalog, schema, table]
      .filter((part) => part !== undefined)
      .map((part) => quoteIdentifier(part))
      .join('.'),
    options: placeOf({ catalog, schema, table, temporary }),
    columns: undefined,
  };
}

/** Where a table is, as the driver's options say it. */
function placeOf({
  catalog,
  schema,
  table,
  temporary,
}: Pick<EngineIngestOptions, 'catalog' | 'schema' | 'table' | 'temporary'>): DriverOption[] {
  const place: DriverOption[] = [[ingestOptions.table, table]];
  if (catalog !== undefined) place.push([ingestOptions.catalog, catalog]);
  if (schema !== undefined) place.push([ingestOptions.schema, schema]);
  if (temporary === true) place.push([ingestOptions.temporary, 'true']);
  return place;
}

interface Target {
  /** Its name with catalog and schema, quoted. */
  readonly name: string;
  readonly options: readonly DriverOption[];
  /** Names of its columns; undefined when there is no such table. */
  readonly columns: readonly string[] | undefined;
}

async function locate(connection: IngestConnection, options: EngineIngestOptions): Promise<Target> {
  const isTemporary = options.temporary === true;
  if (isTemporary && (options.catalog ?? 'temp') !== 'temp') {
    throw new FlightInvalidArgumentError(
      'a temporary table has no catalog of its own; leave the catalog out',
    );
  }
  const [current = '', currentSchema = ''] = (
    await connection.texts('SELECT unnest([current_database(), current_schema()])')
  ).slice(0, 2);
  const catalog = isTemporary ? 'temp' : (options.catalog ?? current);
  const schema = options.schema ?? (isTemporary || catalog !== current ? 'main' : currentSchema);
  const columns = await findColumns(connection, [catalog, schema, options.table]);
  return {
    name: [catalog, schema, options.table].map((part) => quoteIdentifier(part)).join('.'),
    options: placeOf({ table: options.table, ...(isTemporary ? { temporary: true } : { catalog, schema }) }),
    columns: columns.length === 0 ? undefined : columns,
  };
}

/**
 * Names of a table's columns, in their order whatever `default_order` the session has; none when there is no such table.
 * Asked for by its name, a table is found at once; `duckdb_columns()` lists all columns of all tables and views before it
 * looks (1.3 ms of 130 small tables, against 0.15), but knows no name that it cannot read.
 */
async function findColumns(
  connection: IngestConnection,
  path: readonly string[],
): Promise<readonly string[]> {
  if (!path.some((part) => part.includes('"'))) {
    const name = path.map((part) => quoteIdentifier(part)).join('.');
    try {
      return await connection.texts(
        `SELECT name FROM pragma_table_info(${quoteLiteral(name)}) ORDER BY cid ASC`,
      );
    } catch (error) {
      // There is no such table, or catalog: what is wrong with the name is told when it is used.
      if (!(error instanceof FlightError) || !['NOT_FOUND', 'INVALID_ARGUMENT'].includes(error.code))
        throw error;
    }
  }
  const [catalog = '', schema = '', table = ''] = path;
  return connection.texts(
    'SELECT column_name FROM duckdb_columns() ' +
      `WHERE lower(database_name) = lower(${quoteLiteral(catalog)}) AND lower(schema_name) = lower(${quoteLiteral(schema)}) ` +
      `AND lower(table_name) = lower(${quoteLiteral(table)}) ORDER BY column_index ASC`,
  );
}

/**
 * Has the driver take batch after batch; the next one is received while one is taken.
 *
 * @param columns - of the table that is appended to; undefined: the table is made
 */
async function pour(
  connection: IngestConnection,
  place: readonly DriverOption[],
  columns: readonly string[] | undefined,
  schema: Uint8Array,
  batches: AsyncIterable<EngineInput>,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const { core, address } = connection;
  const header = schema.slice();
  const order = columns === undefined ? undefined : columnOrder(columns, header);
  const dictionaries = createDictionaryInputs();
  const statement = await core.quick('newStatement', { connection: address }, signal);
  const run = connection.newRun(signal, statement);

  const ingest = (mode: 'create' | 'append', inputs: readonly TakenInput['input'][]): Promise<bigint> =>
    core
      .run(
        'ingest',
        {
          statement,
          options: [...place, [ingestOptions.mode, `adbc.ingest.mode.${mode}`]],
          batches: { schema: header, inputs },
          order,
          checked: columns === undefined ? undefined : address,
        },
        { ...run, kind: 'continue' },
      )
      .catch((error: unknown) => {
        const isRefused =
          columns !== undefined && error instanceof FlightError && error.code === 'FAILED_PRECONDITION';
        throw isRefused ? new RefusedBatch(inputs, error) : error;
      });

  const blocks = createSpareBlocks();
  let rows = 0n;
  let working: Promise<bigint> = Promise.resolve(0n);
  try {
    // Without rows: makes the table, or shows that the columns fit.
    await ingest(columns === undefined ? 'create' : 'append', []);
    for await (const batch of batches) {
      const taken = takeInput(batch, blocks);
      if (taken.kind === 'dictionary') {
        if (dictionaries.losesUnseen(taken)) {
          rows += await working;
          working = Promise.resolve(0n);
          await ingest('append', dictionaries.list());
        }
        dictionaries.add(taken);
        continue;
      }
      rows += await working;
      working = Promise.resolve(0n);
      if (taken.rows > 0) {
        working = ingest('append', [...dictionaries.list(), taken.input]).then((count) => {
          blocks.give(taken.input.block);
          return count;
        });
        // It is awaited with the next batch; until then its failure waits too.
        working.catch(() => undefined);
      }
    }
    rows += await working;
    // No batch needed it; what is not valid is refused all the same.
    if (dictionaries.losesUnseen(undefined)) await ingest('append', dictionaries.list());
    return rows;
  } finally {
    await working.catch(() => undefined);
    await core.pool.run('closeStatement', { statement }, { kind: 'continue' }).catch(() => undefined);
  }
}

/** Where each column of the table is in the batches, when they have the same names; undefined: by position. */
function columnOrder(columns: readonly string[], schema: Uint8Array): readonly number[] | undefined {
  const names = fieldNames(schema).map((name) => name.toLowerCase());
  const order = columns.map((column) => names.indexOf(column.toLowerCase()));
  const isSame = names.length === columns.length && order.every((index) => index >= 0);
  return isSame && order.some((index, place) => index !== place) ? order : undefined;
}

/** Bulk ingest by ADBC's own modes, for other drivers, which take one batch at a time. */
export async function ingestByDriver(
  connection: ConnectionCore,
  options: EngineIngestOptions,
  schema: Uint8Array,
  batches: AsyncIterable<EngineInput>,
): Promise<bigint> {
  const mode = driverMode(options);
  const inputs: TakenInput['input'][] = [];
  for await (const batch of batches) inputs.push(takeInput(batch).input);
  const header = schema.slice();
  return inOwnTransaction(connection, () => giveBatches(connection, options, mode, header, inputs));
}

/** Has the driver take batches in one call, those behind the first as an append. */
async function giveBatches(
  connection: ConnectionCore,
  options: Omit<EngineIngestOptions, 'ifMissing' | 'ifExists'>,
  mode: string,
  schema: Uint8Array,
  inputs: readonly TakenInput['input'][],
): Promise<bigint> {
  const { core, address } = connection;
  const statement = await core.quick('newStatement', { connection: address }, options.signal);
  try {
    return await core.run(
      'ingest',
      {
        statement,
        options: [...placeOf(options), [ingestOptions.mode, `adbc.ingest.mode.${mode}`]],
        laterOptions: [[ingestOptions.mode, 'adbc.ingest.mode.append']],
        batches: { schema, inputs },
        order: undefined,
      },
      connection.newRun(options.signal, statement),
    );
  } finally {
    await core.pool.run('closeStatement', { statement }, { kind: 'continue' }).catch(() => undefined);
  }
}

function driverMode({ ifMissing, ifExists }: EngineIngestOptions): string {
  if (ifMissing === 'fail') {
    if (ifExists === 'append') return 'append';
    throw new FlightInvalidArgumentError(
      `this engine cannot ${ifExists} a table that must be there; let it be created`,
    );
  }
  return { append: 'create_append', replace: 'replace', fail: 'create' }[ifExists];
}
