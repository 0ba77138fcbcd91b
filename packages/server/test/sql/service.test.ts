import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlightError, type FlightInfo, Ticket } from '@peregrine/flight';
import { type FlightSqlClient, sqlDescriptor, sqlTicket } from '@peregrine/flight/sql';
import { type Table, tableFromArrays } from 'apache-arrow';
import { type RunningServer, startServer } from './running-server.ts';

/** The rows of a table as plain values, without Arrow's bigint where a number does. */
function rowsOf(table: Table): unknown[][] {
  return table
    .toArray()
    .map((row: Iterable<[string, unknown]>) =>
      [...row].map(([, value]) => (typeof value === 'bigint' ? Number(value) : value)),
    );
}

function hasCode(code: string, text?: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof FlightError &&
    error.code === code &&
    (text === undefined || error.message.includes(text));
}

async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 300_000;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`waited for 5 minutes until ${isSo.toString()}`);
    await sleep(5);
  }
}

describe('Flight SQL over DuckDB', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  before(async () => {
    server = await startServer({ ticketLifeMs: 60_000 });
    sql = server.sql();
  });
  after(() => server.stop());

  it('runs queries when they are fetched, and again when they are fetched again', async () => {
    const info = await sql.execute('SELECT 40 + 2 AS answer');
    assert.deepEqual(rowsOf(await sql.readAll(info)), [[42]]);
    assert.deepEqual(rowsOf(await sql.readAll(info)), [[42]]);
    assert.ok((info.endpoints[0]?.expirationTime?.getTime() ?? 0) > Date.now());
  });

  it('runs statements with effects once, when they are planned, and tells their count', async () => {
    await sql.query('CREATE TABLE once (i INTEGER)');
    const info = await sql.execute('INSERT INTO once VALUES (1), (2)');
    assert.equal(info.totalRecords, 1n);
    assert.deepEqual(rowsOf(await sql.readAll(info)), [[2]]);
    assert.deepEqual(rowsOf(await sql.readAll(info)), [[2]]);
    assert.deepEqual(rowsOf(await sql.query('INSERT INTO once VALUES (3) RETURNING i * 10 AS t')), [[30]]);
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM once')), [[3]]);
    assert.equal(await sql.executeUpdate('UPDATE once SET i = 0 WHERE i > 1'), 2n);
    assert.equal(await sql.executeUpdate('DROP TABLE once'), 0n);
  });

  it('runs what changes and gives rows once, whether and how often they are fetched', async () => {
    await sql.query('CREATE SEQUENCE ids');
    await sql.query("CREATE TABLE exact (i BIGINT DEFAULT nextval('ids'), s VARCHAR)");
    const count = async (): Promise<unknown> => rowsOf(await sql.query('SELECT count(*) FROM exact'))[0]?.[0];
    const insert = "INSERT INTO exact (s) VALUES ('a') RETURNING i";
    // never fetched, fetched twice
    await sql.execute(insert);
    assert.equal(await count(), 1);
    const info = await sql.execute(insert);
    assert.deepEqual(rowsOf(await sql.readAll(info)), [[2]]);
    assert.deepEqual(rowsOf(await sql.readAll(info)), [[2]]);
    assert.equal(await count(), 2);
    // looked at, polled, prepared
    await sql.executeSchema(insert);
    assert.equal(await count(), 2);
    assert.deepEqual(rowsOf(await sql.readAll(await sql.executePolled(insert))), [[3]]);
    {
      await using statement = await sql.prepare('INSERT INTO exact (s) VALUES (?) RETURNING i, s');
      assert.equal(await count(), 3);
      statement.bind(['b']);
      await statement.executeSchema();
      assert.equal(await count(), 3);
      const prepared = await statement.execute();
      assert.deepEqual(rowsOf(await sql.readAll(prepared)), [[4, 'b']]);
      assert.deepEqual(rowsOf(await sql.readAll(prepared)), [[4, 'b']]);
      assert.equal(await count(), 4);
    }
    // what EXPLAIN ANALYZE and EXECUTE stand for
    const explained = await sql.execute(`EXPLAIN ANALYZE ${insert}`);
    await sql.readAll(explained);
    await sql.readAll(explained);
    assert.equal(await count(), 5);
    await sql.query(`PREPARE inserting AS ${insert}`);
    const executed = await sql.execute('EXECUTE inserting');
    assert.equal((await sql.readAll(executed)).numRows, 1);
    await assert.rejects(sql.readAll(executed), hasCode('FAILED_PRECONDITION', 'fetched already'));
    assert.equal(await count(), 6);
    // as the rows of a plain ticket
    await server.flight.doGet(new Ticket(insert)).readAll();
    assert.equal(await count(), 7);
    await sql.query('DROP TABLE exact');
    await sql.closeSession();
  });

  it('sends an ENUM of more values than a message holds with what each batch uses', async () => {
    const word = (n: string): string => `rpad('value ' || ${n}, 80, '.')`;
    await sql.executeUpdate(
      `CREATE TYPE wide AS ENUM (SELECT ${word('range')} FROM range(80000) ORDER BY range)`,
    );
    const rows = 100_000;
    const query = `SELECT ${word('range * 7919 % 80000')}::wide AS w, range % 2 AS n FROM range(${rows})`;
    let longest = 0;
    for await (const { dataBody } of server.flight.doGet(new Ticket(query)).raw()) {
      longest = Math.max(longest, dataBody.byteLength);
    }
    assert.ok(longest <= 4 * 1024 * 1024, `a body of ${longest} bytes`);
    const words = (await sql.query(query)).getChild('w');
    assert.equal(words?.length, rows);
    for (let i = 0; i < rows; i += 101) {
      assert.equal(words?.get(i), `value ${(i * 7919) % 80_000}`.padEnd(80, '.'));
    }
    await sql.executeUpdate('DROP TYPE wide');
  });

  it('takes back what a statement did whose rows are too many to be kept', async () => {
    await sql.query('CREATE TABLE many (a VARCHAR)');
    const insert = "INSERT INTO many SELECT repeat('x', 1000) FROM range(100000) RETURNING a";
    await assert.rejects(sql.query(insert), hasCode('RESOURCE_EXHAUSTED', 'gives back more than'));
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM many')), [[0]]);
    assert.equal((await sql.query("INSERT INTO many VALUES ('y') RETURNING a")).numRows, 1);
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM many')), [[1]]);
    const own = server.sql(true);
    await own.executeUpdate('BEGIN TRANSACTION');
    assert.equal((await own.query("INSERT INTO many VALUES ('z') RETURNING a")).numRows, 1);
    await own.executeUpdate('ROLLBACK');
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM many')), [[1]]);
    await sql.query('DROP TABLE many');
  });

  it('does not run what only its schema is asked for', async () => {
    const schema = await sql.executeSchema("SELECT 1::BIGINT AS a, 'x' AS b");
    assert.deepEqual(schema.fields.map(String), ['a: Int64', 'b: Utf8']);
    await sql.executeSchema('CREATE TABLE never (i INTEGER)');
    await assert.rejects(sql.query('FROM never'), hasCode('NOT_FOUND'));
  });

  it('prepares, binds one row and many, and tells queries from updates', async () => {
    await sql.query('CREATE TABLE bound (i INTEGER, s VARCHAR)');
    await using insert = await sql.prepare('INSERT INTO bound VALUES (?, ?)');
    assert.equal(
      insert.bindRows([
        [1, 'a'],
        [2, null],
        [3, 'c'],
      ]) && (await insert.executeUpdate()),
      3n,
    );
    await using select = await sql.prepare('SELECT s FROM bound WHERE i = ?');
    assert.deepEqual(rowsOf(await select.bind([3]).query()), [['c']]);
    assert.deepEqual(rowsOf(await select.bind([2]).query()), [[null]]);
    await sql.query('DROP TABLE bound');
  });

  it('forgets prepared statements that were closed', async () => {
    const statement = await sql.prepare('SELECT 1');
    await statement.close();
    await assert.rejects(statement.query());
  });

  it('keeps transactions apart until they are committed', async () => {
    await sql.query('CREATE TABLE txn (i INTEGER)');
    const transaction = await sql.beginTransaction();
    assert.equal(await sql.executeUpdate('INSERT INTO txn VALUES (1)', { transaction }), 1n);
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn')), [[0]]);
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn', { transaction })), [[1]]);
    await transaction.commit();
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn')), [[1]]);
    await assert.rejects(sql.query('SELECT 1', { transaction }), hasCode('NOT_FOUND'));
    const undone = await sql.beginTransaction();
    await sql.executeIngest(tableFromArrays({ i: Int32Array.of(7, 8) }), {
      table: 'txn',
      transaction: undone,
    });
    await undone.rollback();
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn')), [[1]]);
    await sql.query('DROP TABLE txn');
  });

  it('refuses savepoints and Substrait, which it has not', async () => {
    const transaction = await sql.beginTransaction();
    await assert.rejects(transaction.beginSavepoint('a'), hasCode('UNIMPLEMENTED'));
    await transaction.rollback();
    const plan = { plan: new Uint8Array(1), version: '1' };
    await assert.rejects(sql.executeSubstrait(plan), hasCode('UNIMPLEMENTED'));
  });

  it('ingests all or nothing', async () => {
    const rows = tableFromArrays({ i: Int32Array.of(1, 2, 3) });
    assert.equal(await sql.executeIngest(rows, { table: 'taken', ifExists: 'fail' }), 3n);
    await assert.rejects(
      sql.executeIngest(rows, { table: 'taken', ifExists: 'fail' }),
      hasCode('ALREADY_EXISTS'),
    );
    assert.equal(await sql.executeIngest(rows, { table: 'taken', ifExists: 'append' }), 3n);
    assert.equal(await sql.executeIngest(rows, { table: 'taken', ifExists: 'replace' }), 3n);
    await assert.rejects(sql.executeIngest(rows, { table: 'missing', ifMissing: 'fail' }));
    const other = tableFromArrays({ i: ['no number', 'x'] });
    await assert.rejects(sql.executeIngest(other, { table: 'taken', ifExists: 'append' }));
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM taken')), [[3]]);
    await sql.query('DROP TABLE taken');
  });

  it('says of a view that it takes no rows, and what to do', async () => {
    await sql.query('CREATE VIEW seen AS SELECT 1 AS i');
    const rows = tableFromArrays({ i: Int32Array.of(1) });
    const isTold = hasCode('FAILED_PRECONDITION', '"seen" is a view');
    for (const ifExists of ['append', 'replace'] as const) {
      await assert.rejects(sql.executeIngest(rows, { table: 'seen', ifExists }), isTold, ifExists);
      const transaction = await sql.beginTransaction();
      await assert.rejects(
        sql.executeIngest(rows, { table: 'seen', ifExists, transaction }),
        isTold,
        ifExists,
      );
      await transaction.rollback();
    }
    await sql.query('DROP VIEW seen');
  });

  it('takes nothing of a stream that breaks off, into a new table, an old one and a transaction', async () => {
    const batch = tableFromArrays({ i: Int32Array.from({ length: 50_000 }, (_, i) => i) });
    const [first] = batch.batches;
    assert.ok(first);
    const broken = (): { schema: typeof batch.schema } & AsyncIterable<typeof first> => ({
      schema: batch.schema,
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < 5; i++) yield await Promise.resolve(first);
        throw new Error('the rows broke off');
      },
    });
    await assert.rejects(sql.executeIngest(broken(), { table: 'partly' }), /broke off/);
    await assert.rejects(sql.query('FROM partly'), hasCode('NOT_FOUND'));
    await sql.query('CREATE TABLE partly AS SELECT 1::INTEGER AS i');
    for (const ifExists of ['append', 'replace'] as const) {
      await assert.rejects(sql.executeIngest(broken(), { table: 'partly', ifExists }), /broke off/);
      assert.deepEqual(rowsOf(await sql.query('SELECT count(*), max(i) FROM partly')), [[1, 1]]);
    }
    const transaction = await sql.beginTransaction();
    await sql.executeUpdate('INSERT INTO partly VALUES (2)', { transaction });
    await assert.rejects(
      sql.executeIngest(broken(), { table: 'partly', ifExists: 'append', transaction }),
      /broke off/,
    );
    await transaction.rollback();
    assert.deepEqual(rowsOf(await sql.query('SELECT count(*), max(i) FROM partly')), [[1, 1]]);
    await sql.query('DROP TABLE partly');
  });

  it('keeps temporary tables and settings with their client alone', async () => {
    for (const cookies of [false, true]) {
      const [mine, yours] = [server.sql(cookies), server.sql(cookies)];
      await mine.query('CREATE TEMP TABLE mine AS SELECT 1 AS i');
      await mine.query("SET SESSION TimeZone = 'Asia/Tokyo'");
      assert.deepEqual(rowsOf(await mine.query("SELECT i, current_setting('TimeZone') FROM mine")), [
        [1, 'Asia/Tokyo'],
      ]);
      await assert.rejects(yours.query('FROM mine'), hasCode('NOT_FOUND'));
      const before = server.engine.statistics.connections;
      await mine.closeSession();
      // the connection is freed with the session
      await until(() => server.engine.statistics.connections < before);
      await assert.rejects(mine.query('FROM mine'));
      await Promise.all([mine.close(), yours.close()]);
    }
  });

  it('sets catalog, schema and settings by session options, and says why not', async () => {
    const client = server.sql(true);
    assert.equal((await client.getSessionOptions()).get('catalog'), 'memory');
    await client.query('CREATE SCHEMA workplace');
    const { errors } = await client.setSessionOptions({
      schema: 'workplace',
      default_null_order: 'nulls_first',
      nonsense: 'x',
      threads: 2n,
      TimeZone: 'Nowhere/Land',
    });
    assert.deepEqual(Object.fromEntries(errors), {
      nonsense: 'INVALID_NAME',
      threads: 'ERROR',
      TimeZone: 'INVALID_VALUE',
    });
    assert.deepEqual(rowsOf(await client.query('SELECT current_schema()')), [['workplace']]);
    assert.deepEqual(rowsOf(await sql.query('SELECT current_schema()')), [['main']]);
    assert.equal((await client.getSessionOptions()).get('schema'), 'workplace');
    await client.setSessionOptions({ schema: 'main' });
    await client.query('DROP SCHEMA workplace');
    await client.query("ATTACH ':memory:' AS elsewhere");
    await client.query('CREATE SCHEMA elsewhere.inner_one');
    assert.equal(
      (await client.setSessionOptions({ catalog: 'elsewhere', schema: 'inner_one' })).errors.size,
      0,
    );
    assert.deepEqual(rowsOf(await client.query('SELECT current_database(), current_schema()')), [
      ['elsewhere', 'inner_one'],
    ]);
    const names = await client.getSessionOptions();
    assert.deepEqual([names.get('catalog'), names.get('schema')], ['elsewhere', 'inner_one']);
    const wrong = await client.setSessionOptions({ catalog: 'nowhere', schema: 'nowhere' });
    assert.deepEqual(Object.fromEntries(wrong.errors), { catalog: 'INVALID_VALUE', schema: 'INVALID_VALUE' });
    assert.deepEqual(rowsOf(await sql.query('SELECT current_database()')), [['memory']]);
    // another catalog begins with its own schema, in a session with a connection of its own as well
    const current = async (): Promise<unknown> =>
      rowsOf(await client.query('SELECT current_database(), current_schema()'))[0];
    await client.setSessionOptions({ catalog: 'memory' });
    assert.deepEqual(await current(), ['memory', 'main']);
    await client.query('CREATE TEMP TABLE pinned AS SELECT 1 AS i');
    await client.setSessionOptions({ schema: 'inner_one', catalog: 'elsewhere' });
    assert.deepEqual(await current(), ['elsewhere', 'inner_one']);
    await client.flight.setSessionOptions({ schema: undefined });
    assert.deepEqual(await current(), ['elsewhere', 'main']);
    await client.setSessionOptions({ catalog: 'memory' });
    assert.deepEqual(await current(), ['memory', 'main']);
    await client.query('DETACH elsewhere');
    await client.closeSession();
  });

  it('stops a query that runs by the older action too, and one whose rows are being waited for', async () => {
    const endless = 'SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3';
    const isIdle = (): Promise<void> => until(() => server.engine.statistics.running === 0);
    const poll = await sql.pollExecute(endless);
    assert.ok(poll.info !== undefined && !poll.isComplete);
    assert.ok(server.engine.statistics.running > 0);
    assert.equal(await sql.cancelQuery(poll.info), 'CANCELLED');
    await isIdle();
    for (const cancel of [
      (info: FlightInfo) => sql.cancelQuery(info),
      async (info: FlightInfo) => (await sql.cancelFlightInfo(info)).status,
    ]) {
      const info = await sql.execute(endless);
      const reading = assert.rejects(sql.readAll(info), hasCode('CANCELLED'));
      await until(() => server.engine.statistics.running > 0);
      assert.equal(await cancel(info), 'CANCELLED');
      await reading;
      await isIdle();
    }
  });

  it('cancels what a FlightInfo stands for, also by the older action', async () => {
    const info = await sql.execute('SELECT * FROM range(10)');
    assert.equal(await sql.cancelQuery(info), 'CANCELLED');
    await assert.rejects(sql.readAll(info), hasCode('CANCELLED'));
  });

  it('never lets a part of the rows pass for all of them', async () => {
    const long = "SELECT range AS i, repeat('x', 100) AS s FROM range(3000000)";
    // by CancelFlightInfo, in the middle of a stream whose reader waits
    const info = await sql.execute(long);
    const [endpoint] = info.endpoints;
    assert.ok(endpoint);
    const reader = server.flight.doGet(endpoint.ticket);
    await reader.readNext();
    assert.equal((await sql.cancelFlightInfo(info)).status, 'CANCELLED');
    await assert.rejects(async () => {
      while ((await reader.readNext()) !== undefined);
    }, hasCode('CANCELLED'));
    // by the end of the session that it runs in
    const client = server.sql(true);
    await client.query('CREATE TEMP TABLE here AS SELECT 1 AS i');
    const [own] = (await client.execute(`${long}, here`)).endpoints;
    assert.ok(own);
    const reading = client.flight.doGet(own.ticket);
    await reading.readNext();
    await client.closeSession();
    await assert.rejects(async () => {
      while ((await reading.readNext()) !== undefined);
    }, hasCode('CANCELLED'));
    // a query that was begun when it was planned, and cancelled before its rows were asked for
    const poll = await sql.executePolled('SELECT 1 AS a');
    assert.equal(await sql.cancelQuery(poll), 'CANCELLED');
    await assert.rejects(sql.readAll(poll), hasCode('CANCELLED'));
  });

  it('renews tickets, and lets them expire', async () => {
    const info = await sql.execute('SELECT 1 AS a');
    const [endpoint] = info.endpoints;
    assert.ok(endpoint);
    await sleep(5);
    const renewed = await sql.flight.renewFlightEndpoint(endpoint);
    assert.ok((renewed.expirationTime?.getTime() ?? 0) > (endpoint.expirationTime?.getTime() ?? 0));
    await assert.rejects(
      server.flight.doGet(new Ticket('nothing of this name')).readAll(),
      hasCode('NOT_FOUND'),
    );
    const hasty = await startServer({ ticketLifeMs: 1 });
    try {
      const expired = await hasty.sql().execute('SELECT 1');
      await sleep(20);
      await assert.rejects(hasty.sql().readAll(expired), hasCode('NOT_FOUND', 'expired'));
      // memory is freed when nobody fetches
      await until(() => hasty.service.statements.size === 0);
    } finally {
      await hasty.stop();
    }
  });

  it('forgets prepared statements that nobody uses', async () => {
    const hasty = await startServer({ preparedLifeMs: 1 });
    try {
      const client = hasty.sql();
      const statement = await client.prepare('SELECT ?::INTEGER AS a');
      await sleep(20);
      await assert.rejects(statement.bind([1]).query(), hasCode('NOT_FOUND', 'prepared statement'));
      // drivers close what has gone already
      await statement.close();
    } finally {
      await hasty.stop();
    }
  });

  it('keeps prepared statements, tickets and polled queries for who made them', async () => {
    const handle = Buffer.from('a handle of nobody');
    const command = { kind: 'CommandPreparedStatementQuery', preparedStatementHandle: handle } as const;
    await assert.rejects(
      server.flight.getFlightInfo(sqlDescriptor(command)),
      hasCode('NOT_FOUND', 'not yours'),
    );
    await assert.rejects(
      server.flight.doGet(sqlTicket({ kind: 'TicketStatementQuery', statementHandle: handle })).readAll(),
      hasCode('NOT_FOUND', 'not yours'),
    );
  });

  it('forgets tickets whose rows were fetched to the end before others, where there are many', async () => {
    const small = await startServer({ maxFetchedTickets: 2 });
    try {
      const sql = small.sql();
      const beginReading = async ({ endpoints: [endpoint] }: FlightInfo): Promise<void> => {
        assert.ok(endpoint);
        for await (const { data } of small.flight.doGet(endpoint.ticket)) {
          assert.ok(data);
          break;
        }
      };
      const unread = await sql.execute('SELECT 0');
      // More than fits between here and there.
      const broken = await sql.execute('FROM range(30000000)');
      await beginReading(broken);
      const first = await sql.execute('SELECT 1');
      const second = await sql.execute('SELECT 2');
      const third = await sql.execute('SELECT 3');
      for (const fetched of [first, second, third]) await sql.readAll(fetched);
      await assert.rejects(sql.readAll(first), hasCode('NOT_FOUND', "there is no query's ticket"));
      for (const kept of [second, third]) await sql.readAll(kept);
      await beginReading(broken);
      await sql.readAll(unread);
    } finally {
      await small.stop();
    }
  });

  it('ends transactions that nobody uses', async () => {
    const hasty = await startServer({ transactionTimeoutMs: 50 });
    try {
      const client = hasty.sql();
      const transaction = await client.beginTransaction();
      await until(() => hasty.engine.statistics.connections === 0);
      await assert.rejects(transaction.commit(), hasCode('NOT_FOUND'));
    } finally {
      await hasty.stop();
    }
  });

  it('gives memory back when clients leave in the middle', async () => {
    const info = await sql.execute("SELECT range AS i, repeat('x', 100) AS s FROM range(5000000)");
    const [endpoint] = info.endpoints;
    assert.ok(endpoint);
    const reader = server.flight.doGet(endpoint.ticket);
    await reader.readNext();
    reader.cancel();
    await until(() => server.engine.statistics.batchBytes === 0);
  });
});
