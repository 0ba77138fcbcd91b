// Reads of every kind: what came is compared with the model.
import { Action, FlightDescriptor, FlightError } from '@peregrine/flight';
import { type Table, tableFromIPC } from 'apache-arrow';
import { type Content, type ModelTable, type Reader, Violation, check, tick, verify } from './facts.ts';
import { ask, told } from './http.ts';
import { contentOfRows, contentsOf, recordsOf, summaryOf, summaryRows, tableOf } from './rows.ts';
import {
  closeSession,
  useSession,
  transactionFor,
  type Client,
  type Interruption,
  type OpenTransaction,
  codeOf,
  interruption,
} from './world.ts';

/** How a query is sent. */
export const queryWays = [
  'query',
  'prepared',
  'polled',
  'ticket',
  'exchange',
  'http-ndjson',
  'http-json',
  'http-arrow',
] as const;
type QueryWay = (typeof queryWays)[number];

type Call = Interruption['options'] & { readonly transaction?: OpenTransaction['transaction'] };

/** Runs a query in one of the ways: its rows. */
export async function rowsOf(
  client: Client,
  way: QueryWay,
  text: string,
  call: Call,
): Promise<Iterable<Readonly<Record<string, unknown>>>> {
  const { sql } = client;
  const { transaction: _transaction, ...plain } = call;
  switch (way) {
    case 'query':
      return recordsOf(await sql.query(text, call));
    case 'prepared': {
      const statement = await sql.prepare(text, call);
      try {
        return recordsOf(await statement.query(plain));
      } finally {
        await statement.close().catch(() => undefined);
      }
    }
    case 'polled': {
      const info = await sql.executePolled(text, { ...call, minIntervalMs: 1 });
      try {
        return recordsOf(await sql.readAll(info, plain));
      } catch (error) {
        // Its rows are kept for who fetches them.
        await client.sql.cancelFlightInfo(info);
        throw error;
      }
    }
    case 'ticket':
      return recordsOf(await sql.flight.doGet(text, plain).readAll());
    case 'exchange': {
      const call = sql.flight.doExchange(FlightDescriptor.forCommand(text), plain);
      const sent = call.writer.writeTable(tableOf(1, 10)).then(() => call.writer.doneWriting());
      sent.catch(() => undefined);
      const table: Table = await call.reader.readAll();
      await call.writer.close();
      return recordsOf(table);
    }
    case 'http-ndjson': {
      const answer = await ask(client, '/?format=ndjson', text, plain);
      const lines = (await told(() => answer.text())).split('\n').filter((line) => line !== '');
      return lines.map(record);
    }
    case 'http-json': {
      const answer = await ask(client, '/?format=json', text, plain);
      const body: unknown = JSON.parse(await told(() => answer.text()));
      const data: unknown =
        typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
      check(Array.isArray(data), () => `JSON without data: ${JSON.stringify(body)}`);
      return data.map((row: unknown) => record(JSON.stringify(row)));
    }
    case 'http-arrow': {
      const answer = await ask(client, '/?format=arrow', text, plain);
      return recordsOf(tableFromIPC(new Uint8Array(await told(() => answer.arrayBuffer()))));
    }
  }
}

function record(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  check(typeof value === 'object' && value !== null, () => `a row is ${line}`);
  return Object.fromEntries(Object.entries(value));
}

/** All rows of a table in plain Flight, by its name. */
async function rowsByName(
  client: Client,
  table: ModelTable,
  options: Interruption['options'],
): Promise<Content> {
  const path = table.kind === 'stored' ? [table.name] : ['main', table.name];
  const info = await client.sql.flight.getFlightInfo(FlightDescriptor.forPath(...path), options);
  const rows = await client.sql.flight.readAll(info, options);
  return contentOfRows(recordsOf(rows), `${table.name} by its name`);
}

/** Reads some tables in one snapshot, and compares. */
export async function read(client: Client): Promise<void> {
  const { random, world } = client;
  const way = random.pick(queryWays);
  const mayName = way === 'query' || way === 'prepared' || way === 'polled';
  const ofTransaction = mayName ? transactionFor(client, way, 0.8) : undefined;
  // Those of the store are no part of a snapshot of the database.
  const wanted =
    random.weighted<readonly ModelTable[]>([
      [4, world.of('rows')],
      [2, [random.pick(world.of('rows'))]],
      [2, [random.pick(world.of('bulk'))]],
      [1, [...world.of('rows'), ...world.of('bulk').filter((table) => table.exists === true)]],
      [2, [random.pick(world.of('stored'))]],
    ]) ?? world.of('rows');
  const text = wanted.map(({ name, sql }) => summaryOf(sql, name)).join(' UNION ALL ');
  const where = `read of ${wanted.map(({ name }) => name).join(', ')} by ${way}${ofTransaction === undefined ? '' : ' in the transaction'} of client ${client.index}`;
  await observe(
    client,
    where,
    ofTransaction,
    async (call) => {
      const rows = summaryRows(await rowsOf(client, way, text, call));
      const contents = contentsOf(rows, where);
      return new Map(wanted.map((table) => [table, contents.get(table.name) ?? new Map()]));
    },
    wanted,
  );
}

/** Reads all rows of one table over plain Flight. */
export async function readByName(client: Client): Promise<void> {
  const table = client.random.pick([
    ...client.world.of('rows'),
    ...client.world.of('bulk'),
    ...client.world.of('stored'),
  ]);
  const where = `read of ${table.name} by name, client ${client.index}`;
  await observe(
    client,
    where,
    undefined,
    async (call) => new Map([[table, await rowsByName(client, table, call)]]),
    [table],
  );
}

async function observe(
  client: Client,
  where: string,
  open: OpenTransaction | undefined,
  run: (call: Call) => Promise<Map<ModelTable, Content>>,
  wanted: readonly ModelTable[],
): Promise<void> {
  const { world } = client;
  const from = tick();
  const cut = interruption(client, 0.12);
  world.counts.set('read', (world.counts.get('read') ?? 0) + 1);
  const transaction = open?.transaction;
  try {
    const contents = await run({ ...cut.options, ...(transaction !== undefined && { transaction }) });
    const isStored = wanted.some(({ kind }) => kind === 'stored');
    const reader: Reader =
      isStored && open !== undefined
        ? { from: open.from, to: tick(), own: open.change }
        : client.readerIn(open, from);
    if (open !== undefined) {
      check(open.failed !== 'yes', () => `${where}: the transaction had failed`);
      open.failed = 'no';
    }
    verify(contents, reader, where);
    world.note(client, `${where}: as it must be`);
  } catch (error) {
    if (error instanceof Violation) throw error;
    world.note(client, `${where}: ${String(error)}`);
    if (cut.isCauseOf(error)) {
      if (open !== undefined && open.failed === 'no') open.failed = 'maybe';
      return;
    }
    const code = codeOf(error);
    if (isOfFailedTransaction(open, code)) return;
    const since = open === undefined ? from : open.from;
    const isMissing = (table: ModelTable): boolean =>
      table.exists !== true ||
      since <= table.missingUntil ||
      (open?.remakes.has(table) === true && open.remakes.get(table) !== true);
    check(code === 'NOT_FOUND' && wanted.some(isMissing), () => `${where} failed: ${String(error)}`);
    if (open !== undefined && open.failed === 'no') open.failed = 'maybe';
  } finally {
    await cut.end();
  }
}

const largeRows = 400_000;
const endless = 'SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range + b.range = -1';

/** Results that are read half, given up, cancelled, renewed and fetched twice. */
export async function giveUp(client: Client): Promise<void> {
  const { random, world } = client;
  const { sql } = client;
  const way = random.pick([
    'half',
    'half',
    'http-half',
    'endless',
    'endless-poll',
    'cancel-info',
    'twice',
    'exchange',
  ] as const);
  const open = random.chance(0.6) && way !== 'exchange' && way !== 'http-half' ? client.open : undefined;
  const call = open === undefined ? {} : { transaction: open.transaction };
  world.note(client, `gives up: ${way}${open === undefined ? '' : ' in its transaction'}`);
  world.counts.set('gives-up', (world.counts.get('gives-up') ?? 0) + 1);
  let isKnown = false;
  const large = `SELECT range AS n, 'some text ' || range AS v FROM range(${largeRows})`;
  try {
    switch (way) {
      case 'half': {
        const reader = sql.read(await sql.execute(large, call));
        let chunks = random.below(3);
        for await (const chunk of reader) {
          chunk.release();
          if (chunks-- <= 0) break;
        }
        break;
      }
      case 'http-half': {
        const abort = new AbortController();
        const answer = await fetch(world.http, {
          method: 'POST',
          body: `${large} FORMAT NDJSON`,
          signal: abort.signal,
        });
        check(answer.status === 200, () => `a large result over HTTP has ${answer.status}`);
        await answer.body?.getReader().read();
        abort.abort();
        break;
      }
      case 'endless':
        await sql.query(endless, { ...call, signal: AbortSignal.timeout(1 + random.below(60)) });
        break;
      case 'endless-poll':
        await sql.executePolled(endless, {
          ...call,
          minIntervalMs: 1,
          signal: AbortSignal.timeout(random.below(700)),
          onProgress: () => {
            isKnown = true;
          },
        });
        break;
      case 'cancel-info': {
        const info = await sql.execute(large, call);
        const [endpoint] = info.endpoints;
        if (endpoint !== undefined && random.chance(0.5)) await sql.flight.renewFlightEndpoint(endpoint);
        const reading = sql.readAll(info).then(
          (table) =>
            check(table.numRows === largeRows, () => `a cancelled result ends after ${table.numRows} rows`),
          (error: unknown) =>
            check(
              ['CANCELLED', 'NOT_FOUND'].includes(codeOf(error)),
              () => `a cancelled result: ${String(error)}`,
            ),
        );
        if (random.chance(0.5)) await sql.cancelFlightInfo(info);
        else await sql.cancelQuery(info);
        await reading;
        break;
      }
      case 'twice': {
        const info = await sql.execute(`SELECT * FROM range(${largeRows / 10})`, call);
        for (let time = 0; time < 2; time += 1) {
          const { numRows } = await sql.readAll(info);
          check(numRows === largeRows / 10, () => `a result fetched again has ${numRows} rows`);
        }
        break;
      }
      case 'exchange': {
        const exchange = sql.flight.doExchange(
          FlightDescriptor.forCommand('SELECT * FROM input a, range(1000)'),
        );
        await exchange.writer.writeTable(tableOf(1, 200));
        await exchange.writer.doneWriting();
        await exchange.reader.readNext();
        exchange.cancel('read half');
        break;
      }
    }
    if (open !== undefined) {
      // Nothing need have run of a query that was cancelled.
      check(open.failed !== 'yes' || way === 'cancel-info', () => `${way}: the transaction had failed`);
      if (way !== 'cancel-info') open.failed = way === 'half' ? 'maybe' : 'no';
      else if (open.failed === 'no') open.failed = 'maybe';
    }
  } catch (error) {
    if (error instanceof Violation) throw error;
    world.note(client, `gives up: ${way}: ${String(error)}`);
    const isTimeout =
      error instanceof DOMException ||
      (error instanceof FlightError && ['TIMED_OUT', 'CANCELLED'].includes(error.code));
    if (way.startsWith('endless') && isTimeout) {
      if (way === 'endless-poll' && !isKnown) world.lostPolls += 1;
      if (open !== undefined && open.failed === 'no') open.failed = 'maybe';
      return;
    }
    const code = codeOf(error);
    if (isOfFailedTransaction(open, code)) return;
    throw new Violation(`${way} failed: ${String(error)}`);
  }
}

/** What only an eye on everything else finds wrong: sessions, temporary tables, handles that are none. */
export async function others(client: Client): Promise<void> {
  const { random, world } = client;
  const { sql } = client;
  const way = random.pick(['options', 'temporary', 'close', 'unknown', 'refresh', 'tables'] as const);
  world.note(client, `others: ${way}`);
  world.counts.set(`others-${way}`, (world.counts.get(`others-${way}`) ?? 0) + 1);
  switch (way) {
    case 'options': {
      if (!client.keepsCookies || client.open !== undefined) return;
      useSession(client);
      const value = random.chance(0.5) ? 'asc' : 'desc';
      const refused = await sql.setSessionOptions({ default_order: value });
      check(Object.keys(refused.errors ?? {}).length === 0, () => `default_order was refused`);
      const [row] = recordsOf(await sql.query("SELECT lower(current_setting('default_order')) AS v"));
      check(
        String(row?.['v']).startsWith(value),
        () => `default_order is ${String(row?.['v'])}, not ${value}`,
      );
      return;
    }
    case 'temporary': {
      if (!client.keepsCookies || client.open !== undefined) return;
      useSession(client);
      const table = 'private';
      await sql.executeIngest(tableOf(client.index, 10), { table, temporary: true, ifExists: 'replace' });
      const rows = await sql.query(`SELECT DISTINCT op FROM ${table}`);
      check(
        Number(rows.getChildAt(0)?.get(0)) === client.index,
        () => 'a temporary table has the rows of another client',
      );
      return;
    }
    case 'close':
      if (client.keepsCookies) await closeSession(client);
      return;
    case 'unknown': {
      const bad = Buffer.from('no-such-handle');
      const calls = [
        (): Promise<unknown> => sql.executeUpdate('SELECT 1', { transaction: bad }),
        (): Promise<unknown> => sql.executeIngest(tableOf(1, 1), { table: 't0', transaction: bad }),
        (): Promise<unknown> => sql.flight.doGet('{"dataset": "no_such_table"}').readAll(),
        (): Promise<unknown> =>
          sql.flight.doAction(new Action('drop_table', Buffer.from('no_such_table'))).toArray(),
      ] as const;
      if (client.open !== undefined) return;
      const code = await random
        .pick(calls)()
        .then(() => 'OK', codeOf);
      check(code === 'NOT_FOUND', () => `a handle that is none gets ${code}`);
      return;
    }
    case 'refresh':
      await sql.flight.doAction('refresh').toArray();
      return;
    case 'tables': {
      const found = await sql.getTables({ tableNameFilterPattern: 't_' });
      check(found.length === 2, () => `there are ${found.length} tables t0 and t1`);
    }
  }
}

/** Whether an error says that the transaction may not be read in any more, which is known then. */
function isOfFailedTransaction(open: OpenTransaction | undefined, code: string | undefined): boolean {
  if (open === undefined || open.failed === 'no' || code !== 'FAILED_PRECONDITION') return false;
  open.failed = 'yes';
  return true;
}
