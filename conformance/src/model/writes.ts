// Writes of every kind: what is asked, and what the answer says about the tables.
import { Action, FlightDescriptor } from '@peregrine/flight';
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordBatch } from 'apache-arrow';
import {
  type Change,
  type Chunk,
  type ModelTable,
  type Step,
  Violation,
  addChunk,
  beginChange,
  check,
  chunkSight,
  done,
  lost,
  removeChunk,
  tagChunk,
  tick,
  undone,
} from './facts.ts';
import { type HttpWay, httpInsert, httpRun } from './http.ts';
import { batchesOf, columns, schema, selectOf, tableOf, valuesOf } from './rows.ts';
import {
  isJoined,
  transactionFor,
  type Client,
  type Interruption,
  type OpenTransaction,
  codeOf,
  interruption,
  setExists,
  takeTable,
} from './world.ts';

/** How a statement is sent: in the client's transaction, or by itself. */
type Call = Interruption['options'] & { readonly transaction?: OpenTransaction['transaction'] };

/** A write. */
interface Write {
  readonly what: string;
  /** The transaction that it is a part of. */
  readonly open: OpenTransaction | undefined;
  /** Whether it is broken off on the way, so that it cannot have been done. */
  readonly isCut?: boolean;
  /** It is wrong, and has to be refused with one of these codes. */
  readonly wrong?: readonly string[];
  /** It may be refused with one of these codes. */
  readonly refused?: readonly string[];
  /** What it does to the model. */
  readonly steps: (change: Change) => Step[];
  /** Gives the rows that it changed, where it tells. */
  readonly run: (call: Call) => Promise<number | undefined>;
  /** Makes, replaces or drops a table. */
  readonly remake?: { readonly table: ModelTable; readonly exists: boolean };
}

/** What DuckDB refuses when two write the same: of a row, and of a table. */
const conflicts = ['ABORTED', 'FAILED_PRECONDITION'];

/** Writes, and notes what became of it. Gives the rows changed when it was acknowledged. */
export async function write(client: Client, job: Write): Promise<number | undefined> {
  const { isCut = false, open, refused = [], remake, run, wrong, what } = job;
  const { world } = client;
  const change = open?.change ?? beginChange(`${what} of client ${client.index}`, 'asked');
  const steps = job.steps(change);
  world.note(client, `${open === undefined ? '' : 'in its transaction: '}${what}`);
  world.counts.set(what.replace(/ .*/, ''), (world.counts.get(what.replace(/ .*/, '')) ?? 0) + 1);
  if (open === undefined && remake?.exists === false) remake.table.missingUntil = Infinity;
  const cut = interruption(client, isCut || wrong !== undefined ? 0.02 : 0.12);
  const transaction = open?.transaction;
  try {
    const rows = await run({ ...cut.options, ...(transaction !== undefined && { transaction }) });
    check(!isCut && wrong === undefined, () => `${what} was acknowledged, and is wrong or was broken off`);
    for (const step of steps) step.state = 'done';
    if (open === undefined) {
      done(change);
      if (remake !== undefined) setExists(remake.table, remake.exists);
    } else {
      check(open.failed !== 'yes', () => `${what} was done in a transaction that had failed`);
      open.failed = 'no';
      if (open.to === Infinity) open.to = tick();
      if (remake !== undefined) open.remakes.set(remake.table, remake.exists);
    }
    return rows;
  } catch (error) {
    if (error instanceof Violation) throw error;
    const isOwn = cut.isCauseOf(error) || (isCut && error instanceof CutOff);
    if (!isOwn)
      judge(cut.kind === 'none' ? what : `${what} (with ${cut.kind})`, error, open, [
        ...refused,
        ...(wrong ?? []),
        ...conflicts,
      ]);
    const isLost = isOwn && !isCut && wrong === undefined;
    world.note(client, `${what}: ${String(error)}${isLost ? ', lost' : ', not done'}`);
    if (open !== undefined) {
      for (const step of steps) step.state = isLost ? 'lost' : 'undone';
      if (open.failed === 'no') open.failed = 'maybe';
      if (isLost && remake !== undefined) open.remakes.set(remake.table, undefined);
    } else if (isLost) {
      lost(change);
      if (remake !== undefined) setExists(remake.table, undefined);
    } else {
      undone(change);
      if (remake !== undefined) setExists(remake.table, remake.table.existsBefore);
    }
    return undefined;
  } finally {
    await cut.end();
  }
}

/** Whether an error is one that may come. */
function judge(
  what: string,
  error: unknown,
  open: OpenTransaction | undefined,
  allowed: readonly string[],
): void {
  const code = codeOf(error);
  if (code === 'FAILED_PRECONDITION' && open !== undefined && /transaction is aborted/i.test(String(error))) {
    check(open.failed !== 'no', () => `${what}: the transaction had not failed: ${String(error)}`);
    open.failed = 'yes';
    return;
  }
  check(allowed.includes(code), () => `${what} failed: ${String(error)}`);
}

/** Thrown in the middle of what a client sends. */
export class CutOff extends Error {}

/** Batches of a write, which may end with an error before the last. */
async function* sent(
  client: Client,
  op: number,
  rows: number,
  isCut: boolean,
): AsyncGenerator<RecordBatch, void, undefined> {
  const { random } = client;
  const most = random.pick([rows, Math.ceil(rows / 3), 1_000]);
  const batches = [...batchesOf(op, rows, Math.max(most, Math.ceil(rows / 20), 1))];
  const end = isCut ? random.below(batches.length) : batches.length;
  for (const batch of batches.slice(0, end)) {
    if (random.chance(0.2)) await wait(random.below(5));
    yield batch;
  }
  if (isCut) throw new CutOff('broken off on purpose');
}

/** The call, sometimes without the name of its transaction, which takes it all the same. */
function unnamed(client: Client, call: Call): Call {
  if (!isJoined(client) || client.random.chance(0.5)) return call;
  const { transaction: _transaction, ...plain } = call;
  return plain;
}

function rowCount(client: Client): number {
  const { random } = client;
  return (
    1 +
    random.below(
      random.weighted([
        [5, 20],
        [3, 400],
        [1, 4_000],
        [0.15, 60_000],
      ]) ?? 20,
    )
  );
}

/** Adds rows to a table that is always there. */
export async function insert(client: Client): Promise<void> {
  const { random, world } = client;
  const table = random.pick(world.of('rows'));
  const way = random.pick([
    'update',
    'query',
    'returning',
    'bound',
    'prepared',
    'ingest',
    'put',
    'http',
  ] as const);
  const op = world.nextOp();
  const rows = way === 'bound' ? 1 + random.below(40) : rowCount(client);
  const open = way === 'put' || way === 'http' ? undefined : transactionFor(client, way, 0.8);
  const isCut = (way === 'ingest' || way === 'put') && random.chance(0.2);
  const httpWay: HttpWay = random.pick(['csv', 'tsv', 'ndjson', 'json', 'arrow', 'arrow-file'] as const);
  const what = `insert-${way === 'http' ? `http-${httpWay}` : way} ${op} of ${rows} rows into ${table.name}${isCut ? ', broken off' : ''}`;
  const changed = await write(client, {
    what,
    open,
    isCut,
    steps: (change) => [addChunk(change, table, op, rows)],
    async run(call) {
      const { sql } = client;
      const { transaction: _transaction, ...plain } = call;
      switch (way) {
        case 'update':
          return Number(await sql.executeUpdate(`INSERT INTO ${table.sql} ${selectOf(op, rows)}`, call));
        case 'query':
          return Number(
            (await sql.query(`INSERT INTO ${table.sql} ${selectOf(op, rows)}`, call)).get(0)?.toArray()[0],
          );
        case 'returning':
          return (await sql.query(`INSERT INTO ${table.sql} ${selectOf(op, rows)} RETURNING n`, call))
            .numRows;
        case 'bound':
        case 'prepared':
          return insertPrepared(client, table, valuesOf(op, rows), way, call);
        case 'ingest':
          return Number(
            await sql.executeIngest(
              { schema, [Symbol.asyncIterator]: () => sent(client, op, rows, isCut) },
              { table: table.name, ...unnamed(client, call) },
            ),
          );
        case 'put':
          return putRows(client, ['main', table.name], 'append', sent(client, op, rows, isCut), plain);
        case 'http':
          return httpInsert(client, { table: table.name, format: httpWay, op, rows }, plain);
      }
    },
  });
  check(changed === undefined || changed === rows, () => `${what} changed ${changed} rows`);
}

async function insertPrepared(
  client: Client,
  table: ModelTable,
  values: ReturnType<typeof valuesOf>,
  way: 'bound' | 'prepared',
  call: Call,
): Promise<number> {
  const { transaction: _transaction, ...plain } = call;
  // The second is bound row by row.
  const text = way === 'bound' ? '(?, ?, ?, concat(?))' : '(?, ?, ?, ?)';
  const statement = await client.sql.prepare(
    `INSERT INTO ${table.sql} VALUES ${text}`,
    unnamed(client, call),
  );
  try {
    statement.bindRows(values.map(({ op, n, tag, v }) => [BigInt(op), n, BigInt(tag), v]));
    return Number(await statement.executeUpdate(plain));
  } finally {
    // By the channel that it was prepared on, which may be gone.
    await statement.close().catch(() => undefined);
  }
}

/** A put over plain Flight. */
async function putRows(
  client: Client,
  dataset: string | readonly string[],
  mode: string,
  batches: AsyncIterable<RecordBatch>,
  options: Interruption['options'],
): Promise<number> {
  const descriptor = FlightDescriptor.forCommand(JSON.stringify({ dataset, mode }));
  const call = client.sql.flight.doPut(descriptor, options);
  try {
    await call.writer.begin(schema);
    for await (const batch of batches) await call.writer.writeBatch(batch);
    await call.writer.doneWriting();
    let rows = NaN;
    for await (const answer of call.reader) {
      const told: unknown = JSON.parse(Buffer.from(answer).toString());
      if (typeof told === 'object' && told !== null && 'done' in told && 'rows' in told)
        rows = Number(told.rows);
    }
    await call.writer.close();
    return rows;
  } catch (error) {
    call.cancel('broken off');
    throw error;
  }
}

/** Statements that fail on their way: nothing of them may stay. */
export async function failOnPurpose(client: Client): Promise<void> {
  const { random, world } = client;
  const table = random.pick(world.of('rows'));
  const way = random.pick(['late', 'bound', 'prepared', 'text', 'unknown', 'ingest'] as const);
  const open = transactionFor(client, way, 0.6);
  const op = world.nextOp();
  const rows = 2 + random.below(300);
  await write(client, {
    what: `fail-${way} ${op}`,
    open,
    wrong: ['INVALID_ARGUMENT', 'NOT_FOUND', 'OUT_OF_RANGE', 'ALREADY_EXISTS'],
    steps: (change) => (way === 'text' || way === 'unknown' ? [] : [addChunk(change, table, op, rows)]),
    async run(call) {
      const { sql } = client;
      const insertInto = `INSERT INTO ${table.sql}`;
      switch (way) {
        case 'late':
          return Number(
            await sql.executeUpdate(
              `${insertInto} SELECT ${op}, range::INTEGER, 0, CASE WHEN range = ${rows - 1} THEN error('on purpose') ELSE 'v${op}-' || range END FROM range(${rows})`,
              call,
            ),
          );
        case 'bound':
        case 'prepared': {
          const values = valuesOf(op, way === 'bound' ? 5 : rows);
          const last = values.at(-1);
          const bad = last === undefined ? [] : [{ ...last, v: 'x' }];
          const { transaction: _transaction, ...plain } = call;
          const statement = await sql.prepare(
            `${insertInto} VALUES (?, ?, ?, CASE WHEN ? = 'x' THEN error('on purpose') ELSE '' END)`,
            call,
          );
          try {
            statement.bindRows(
              [...values.slice(0, -1), ...bad].map((row) => [BigInt(row.op), row.n, 0n, row.v]),
            );
            return Number(await statement.executeUpdate(plain));
          } finally {
            await statement.close().catch(() => undefined);
          }
        }
        case 'text':
          return Number(await sql.executeUpdate(random.pick(['SELEC 1', 'INSERT INTO', '']), call));
        case 'unknown':
          return Number(await sql.executeUpdate(`DELETE FROM no_such_table_${op}`, call));
        case 'ingest':
          return Number(
            await sql.executeIngest(tableOf(op, rows), { table: table.name, ifExists: 'fail', ...call }),
          );
      }
    },
  });
}

/** Deletes or marks all rows of a write that the client sees. */
export async function change(client: Client): Promise<void> {
  const { random, world } = client;
  const table = random.pick(world.of('rows'));
  const way = random.pick(['update', 'prepared', 'http'] as const);
  const open = way === 'http' ? undefined : transactionFor(client, way, 0.8);
  const now = tick();
  // Its snapshot is from when it began, or later.
  const reader =
    open === undefined ? { from: now, to: now } : { from: open.from, to: open.to, own: open.change };
  const seen = [...table.chunks.values()].filter((chunk) => chunkSight(chunk, reader) === 'must');
  // Few, so that clients meet.
  const chunk = seen[random.chance(0.5) ? random.below(Math.min(3, seen.length)) : random.below(seen.length)];
  if (chunk === undefined) return;
  const isRemoval = random.chance(table.chunks.size > 60 ? 0.8 : 0.4);
  const tag = world.nextOp();
  const text = isRemoval ? `DELETE FROM ${table.sql}` : `UPDATE ${table.sql} SET tag = ${tag}`;
  const what = `${isRemoval ? 'delete' : `mark-${tag}`}-${way} ${chunk.op} in ${table.name}`;
  let step: Step | undefined;
  const rivals = (): boolean =>
    chunk.removals.some(
      (other) => other !== step && other.state !== 'undone' && other.change.state !== 'undone',
    );
  const changed = await write(client, {
    what,
    open,
    steps(asked) {
      step = isRemoval ? removeChunk(asked, chunk) : tagChunk(asked, chunk, tag);
      return [step];
    },
    async run(call) {
      const { transaction: _transaction, ...plain } = call;
      if (way === 'update')
        return Number(await client.sql.executeUpdate(`${text} WHERE op = ${chunk.op}`, call));
      if (way === 'http') return httpRun(client, `${text} WHERE op = ${chunk.op}`, plain);
      const statement = await client.sql.prepare(`${text} WHERE op = ?`, unnamed(client, call));
      try {
        return Number(await statement.bind([BigInt(chunk.op)]).executeUpdate(plain));
      } finally {
        await statement.close().catch(() => undefined);
      }
    },
  });
  if (changed === undefined) return;
  check(
    changed === chunk.rows || (changed === 0 && rivals()),
    () => `${what} changed ${changed} of ${chunk.rows} rows`,
  );
  if (changed === 0 && step !== undefined) step.state = 'undone';
}

/** What is there of a table: the chunks that a replacement ends. */
function present(table: ModelTable, own: Change): Chunk[] {
  const now = tick();
  return [...table.chunks.values()].filter(
    (chunk) => chunkSight(chunk, { from: now, to: now, own }) !== 'never',
  );
}

const modes = {
  create: { ifMissing: 'create', ifExists: 'fail' },
  append: { ifMissing: 'fail', ifExists: 'append' },
  create_append: { ifMissing: 'create', ifExists: 'append' },
  replace: { ifMissing: 'create', ifExists: 'replace' },
} as const;

/** Makes, fills, replaces and drops tables: by ingests, puts and SQL. */
export async function bulk(client: Client, kind: 'bulk' | 'stored'): Promise<void> {
  const { random, world } = client;
  const table = random.pick(world.of(kind));
  if (table.exists === undefined) return;
  const mode = random.pick([
    'create',
    'append',
    'append',
    'create_append',
    'create_append',
    'replace',
    'drop',
  ] as const);
  const ways = kind === 'stored' ? (['put'] as const) : (['put', 'ingest', 'ingest'] as const);
  const way = random.pick(ways);
  const open = way === 'put' ? undefined : transactionFor(client, mode === 'drop' ? 'update' : 'ingest', 0.7);
  const wasThere = open?.remakes.has(table) === true ? open.remakes.get(table) : table.exists;
  if (wasThere === undefined) return;
  const isRemake = mode === 'replace' || mode === 'drop' || mode === 'create' || !wasThere;
  const isOwn = open?.remakes.has(table) === true;
  const release = isOwn ? (): void => undefined : takeTable(table, isRemake);
  if (release === undefined) return;
  // In an older snapshot the table is another.
  const isOld = open !== undefined && open.from <= table.remadeAt;
  if (isOld) {
    release();
    return;
  }
  const isWrong = (mode === 'create' && wasThere) || ((mode === 'append' || mode === 'drop') && !wasThere);
  const op = world.nextOp();
  const rows = rowCount(client);
  const isCut = mode !== 'drop' && !isWrong && random.chance(0.15);
  const isRemade = isRemake && !isWrong;
  const old =
    mode === 'replace' || mode === 'drop'
      ? (asked: Change): Step[] => present(table, asked).map((chunk) => removeChunk(asked, chunk))
      : (): Step[] => [];
  try {
    await write(client, {
      what: `${kind}-${mode}-${way} ${op} of ${rows} rows, ${table.name}${isCut ? ', broken off' : ''}`,
      open,
      isCut,
      ...(isWrong && { wrong: ['ALREADY_EXISTS', 'NOT_FOUND'] }),
      refused: open === undefined ? [] : ['INVALID_ARGUMENT'],
      ...(isRemade && { remake: { table, exists: mode !== 'drop' } }),
      steps: (asked) => [...old(asked), ...(mode === 'drop' ? [] : [addChunk(asked, table, op, rows)])],
      async run(call) {
        const { transaction: _transaction, ...plain } = call;
        if (mode === 'drop') {
          if (way === 'ingest') await client.sql.executeUpdate(`DROP TABLE ${table.sql}`, call);
          else
            await client.sql.flight
              .doAction(
                new Action('drop_table', kind === 'stored' ? table.name : `main.${table.name}`),
                plain,
              )
              .toArray();
          return undefined;
        }
        const batches = sent(client, op, rows, isCut);
        if (way === 'put')
          return putRows(client, kind === 'stored' ? table.name : ['main', table.name], mode, batches, plain);
        const source = { schema, [Symbol.asyncIterator]: () => batches };
        return Number(await client.sql.executeIngest(source, { table: table.name, ...modes[mode], ...call }));
      },
    });
  } finally {
    if (open === undefined) release();
    else open.release.push(release);
  }
}

/** Makes the tables that are always there. */
export async function makeTables(client: Client): Promise<void> {
  const [first, second] = client.world.of('rows');
  await client.sql.executeUpdate(`CREATE TABLE ${first.sql} (${columns})`);
  await client.sql.executeUpdate(`CREATE TABLE ${second.sql} (${columns}, PRIMARY KEY (op, n))`);
  // With the first dataset the catalog of files is there.
  await putRows(client, 'first', 'create', sent(client, 0, 1, false), {});
}
