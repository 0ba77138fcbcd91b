import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Action, FlightDescriptor, FlightError, FlightServer, Ticket, connect } from '@peregrine/flight';
import { type Table, tableFromArrays } from 'apache-arrow';
import { createDatasetStore } from '../../src/datasets/dataset.ts';
import { createFlightService } from '../../src/service/flight-service.ts';
import { type RunningServer, startServer } from '../sql/running-server.ts';

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof FlightError && error.code === code;
}

function columnOf(table: Table, name: string): unknown[] {
  return [...(table.getChild(name) ?? [])].map((value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
}

describe('plain Flight over DuckDB', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer();
    const sql = server.sql();
    await sql.query("CREATE TABLE trades AS SELECT range::INTEGER AS i, 'n' || range AS s FROM range(100)");
    await sql.query('CREATE SCHEMA other');
    await sql.query('CREATE TABLE other.elsewhere AS SELECT 1 AS a');
  });
  after(() => server.stop());

  const read = (ticket: string): Promise<Table> => server.flight.doGet(new Ticket(ticket)).readAll();
  const put = async (descriptor: FlightDescriptor, table: Table, mode?: string): Promise<string[]> => {
    const headers = mode === undefined ? {} : { 'x-peregrine-put-mode': mode };
    const call = server.flight.doPut(descriptor, { headers });
    await call.writer.begin(table.schema);
    await call.writer.writeTable(table);
    await call.writer.doneWriting();
    const answers: string[] = [];
    for await (const answer of call.reader) answers.push(Buffer.from(answer).toString());
    await call.writer.close();
    return answers;
  };
  const act = async (type: string, body = ''): Promise<string> => {
    const results = await server.flight.doAction(new Action(type, body)).toArray();
    return results.map((result) => Buffer.from(result.body).toString()).join('');
  };

  it('takes SQL text as ticket and as command', async () => {
    assert.deepEqual(columnOf(await read('SELECT sum(i)::BIGINT AS s FROM trades'), 's'), [4950]);
    const info = await server.flight.getFlightInfo(
      FlightDescriptor.forCommand('SELECT i FROM trades WHERE i < 3'),
    );
    assert.deepEqual(columnOf(await server.flight.readAll(info), 'i'), [0, 1, 2]);
    assert.ok(info.endpoints[0]?.expirationTime !== undefined);
  });

  it('takes names, paths and JSON with columns, filter and limit', async () => {
    assert.equal((await read('trades')).numRows, 100);
    assert.equal((await read('{"dataset":["other","elsewhere"]}')).numRows, 1);
    const info = await server.flight.getFlightInfo(FlightDescriptor.forPath('trades'));
    assert.equal(info.totalRecords, 100n);
    assert.equal((await server.flight.readAll(info)).numRows, 100);
    const some = await read('{"dataset":"trades","columns":["s"],"filter":"i >= 90 -- late","limit":5}');
    assert.deepEqual([some.numRows, some.schema.fields.map((field) => field.name)], [5, ['s']]);
    const schema = await server.flight.getSchema(FlightDescriptor.forPath('other', 'elsewhere'));
    assert.deepEqual(
      schema.schema?.fields.map((field) => field.name),
      ['a'],
    );
    await assert.rejects(read('nowhere'), hasCode('NOT_FOUND'));
    await assert.rejects(
      read('{"dataset":"trades","filter":"no such column = 1"}'),
      hasCode('INVALID_ARGUMENT'),
    );
  });

  it('takes the names of other schemas as list_tables writes them', async () => {
    assert.equal((await read('other.elsewhere')).numRows, 1);
    assert.equal((await read('{"dataset":"other.elsewhere","columns":["a"]}')).numRows, 1);
    const info = await server.flight.getFlightInfo(FlightDescriptor.forPath('other.elsewhere'));
    assert.equal(info.totalRecords, 1n);
    await put(
      FlightDescriptor.forPath('other.elsewhere'),
      tableFromArrays({ a: Int32Array.of(2) }),
      'append',
    );
    assert.deepEqual(columnOf(await read('other.elsewhere'), 'a'), [1, 2]);
    await server.sql().query('DELETE FROM other.elsewhere WHERE a = 2');
    await server.sql().query('CREATE TABLE other.gone AS SELECT 1 AS a');
    assert.equal(await act('drop_table', 'other.gone'), 'dropped other.gone');
    await assert.rejects(read('other.gone'), hasCode('NOT_FOUND'));
  });

  it('tells how many rows columns and limits give, and takes fields of structs', async () => {
    await server
      .sql()
      .query("CREATE OR REPLACE TABLE nested AS SELECT {'x': 7, 'y y': 'z'} AS s, 1 AS x FROM range(5)");
    const infoOf = (command: object) =>
      server.flight.getFlightInfo(FlightDescriptor.forCommand(JSON.stringify(command)));
    assert.equal((await infoOf({ dataset: 'nested', columns: ['x'] })).totalRecords, 5n);
    assert.equal((await infoOf({ dataset: 'nested', limit: 2 })).totalRecords, 2n);
    assert.equal((await infoOf({ dataset: 'nested', filter: 'x > 0' })).totalRecords, -1n);
    const table = await read('{"dataset":"nested","columns":[["s","y y"],["s","x"]],"limit":1}');
    assert.deepEqual(table.toArray().map(String), ['{"y y": "z", "x": 7}']);
    await server.sql().query('DROP TABLE nested');
  });

  it('polls SQL text, JSON commands and datasets', async () => {
    const poll = (command: string) => server.flight.pollFlightInfo(FlightDescriptor.forCommand(command));
    const done = await poll('SELECT 42 AS a');
    assert.ok(done.isComplete && done.info !== undefined);
    assert.deepEqual(columnOf(await server.flight.readAll(done.info), 'a'), [42]);
    for (const command of ['trades', '{"dataset":"trades"}', '{"dataset":"trades","columns":["i"]}']) {
      const { info, isComplete, progress } = await poll(command);
      assert.deepEqual([isComplete, progress, info?.totalRecords], [true, 1, 100n], command);
      assert.equal(info === undefined ? 0 : (await server.flight.readAll(info)).numRows, 100);
    }
    await assert.rejects(poll('nothing'), hasCode('NOT_FOUND'));
    await assert.rejects(poll('SELECT nope'), hasCode('INVALID_ARGUMENT'));
  });

  it('polls what takes long until it is cancelled', async () => {
    const endless = 'SELECT sum(a.range * b.range) AS s FROM range(1000000000) a, range(1000000000) b';
    const first = await server.flight.pollFlightInfo(FlightDescriptor.forCommand(endless));
    assert.ok(first.descriptor !== undefined && first.info !== undefined);
    assert.deepEqual(
      [first.info.endpoints.length, first.info.schema?.fields.map(({ name }) => name)],
      [0, ['s']],
    );
    assert.equal((await server.flight.pollFlightInfo(first.descriptor)).isComplete, false);
    assert.equal((await server.flight.cancelFlightInfo(first.info)).status, 'CANCELLED');
    await assert.rejects(server.flight.pollFlightInfo(first.descriptor), hasCode('NOT_FOUND'));
  });

  it('says what may help', async () => {
    await put(FlightDescriptor.forPath('weather'), tableFromArrays({ a: Int32Array.of(1) }));
    await assert.rejects(read('wether'), /did you mean "weather"\?/);
    await assert.rejects(read('selec 1'), /SQL text begins with/);
    await assert.rejects(read('x'.repeat(1_000_000)), (error: unknown) => String(error).length < 1000);
    await assert.rejects(
      act('drop_table', 'x'.repeat(1_000_000)),
      (error: unknown) => String(error).length < 1000,
    );
    await assert.rejects(act('drop_table', '{"dataset":"weather","limit":1}'), hasCode('INVALID_ARGUMENT'));
    await assert.rejects(act('drop_table', '{"sql":"SELECT 1"}'), hasCode('INVALID_ARGUMENT'));
    await assert.rejects(
      put(FlightDescriptor.forPath('weather'), tableFromArrays({ b: ['x'] }), 'append'),
      /it has a Int32; the rows have b Dictionary/,
    );
    const partly = FlightDescriptor.forCommand('{"dataset":"weather","limit":1}');
    await assert.rejects(put(partly, tableFromArrays({ a: Int32Array.of(1) })), hasCode('INVALID_ARGUMENT'));
    await put(FlightDescriptor.forPath('{odd'), tableFromArrays({ a: Int32Array.of(1) }));
    assert.equal(await act('drop_table', '{odd'), 'dropped {odd');
    assert.equal(await act('drop_table', '{"dataset":"weather"}'), 'dropped weather');
  });

  it('lists flights by criteria', async () => {
    const names = async (criteria: string): Promise<string[]> =>
      (await server.flight.listFlights(criteria).toArray()).map(
        (info) => info.descriptor?.path?.join('.') ?? '',
      );
    assert.deepEqual(await names(''), ['other.elsewhere', 'trades']);
    assert.deepEqual(await names('tr'), ['trades']);
    assert.deepEqual(await names('{"glob":"*where"}'), ['other.elsewhere']);
  });

  it('keeps what is put, untouched for Flight and readable by SQL, in each mode', async () => {
    const one = tableFromArrays({ v: Int32Array.of(1, 2) });
    const two = tableFromArrays({ v: Int32Array.of(3) });
    const path = FlightDescriptor.forPath('kept');
    const answers = await put(path, one, 'create');
    assert.deepEqual(JSON.parse(answers.at(-1) ?? ''), { rows: 2, done: true });
    assert.deepEqual(JSON.parse(answers[0] ?? ''), { rows: 2 });
    await assert.rejects(put(path, one, 'create'), hasCode('ALREADY_EXISTS'));
    await put(path, two, 'append');
    assert.deepEqual(columnOf(await read('kept'), 'v'), [1, 2, 3]);
    assert.deepEqual(columnOf(await read('SELECT sum(v)::INTEGER AS s FROM kept'), 's'), [6]);
    assert.deepEqual(columnOf(await read('{"dataset":"kept","filter":"v > 1"}'), 'v'), [2, 3]);
    await put(FlightDescriptor.forCommand('{"dataset":"kept","mode":"replace"}'), two);
    assert.deepEqual(columnOf(await read('FROM kept'), 'v'), [3]);
    await assert.rejects(put(FlightDescriptor.forPath('missing'), one, 'append'), hasCode('NOT_FOUND'));
    await assert.rejects(put(path, tableFromArrays({ w: [1.5] }), 'append'), hasCode('FAILED_PRECONDITION'));
    await assert.rejects(put(path, one, 'sideways'), hasCode('INVALID_ARGUMENT'));
    assert.equal(await act('drop_table', 'kept'), 'dropped kept');
    await assert.rejects(read('FROM kept'), hasCode('NOT_FOUND'));
  });

  it('puts into tables of the engine', async () => {
    await server.sql().query('CREATE TABLE target (v INTEGER)');
    await put(FlightDescriptor.forPath('target'), tableFromArrays({ v: Int32Array.of(1, 2) }), 'append');
    await put(FlightDescriptor.forPath('main', 'target'), tableFromArrays({ v: Int32Array.of(3) }), 'append');
    assert.deepEqual(columnOf(await read('FROM target ORDER BY v'), 'v'), [1, 2, 3]);
    assert.equal(await act('drop_table', 'target'), 'dropped target');
  });

  it('runs queries over batches that come with an exchange', async () => {
    const call = server.flight.doExchange(
      FlightDescriptor.forCommand('SELECT sum(v)::INTEGER AS s, count(*)::INTEGER AS n FROM input'),
    );
    const table = tableFromArrays({ v: Int32Array.from({ length: 1000 }, (_, i) => i) });
    await call.writer.begin(table.schema);
    await call.writer.writeTable(table);
    await call.writer.doneWriting();
    const result = await call.reader.readAll();
    assert.deepEqual([columnOf(result, 's'), columnOf(result, 'n')], [[499_500], [1000]]);
    await assert.rejects(read('FROM input'), hasCode('NOT_FOUND'));
  });

  it('lists and runs its actions', async () => {
    const types = (await server.flight.listActions().toArray()).map(({ type }) => type);
    for (const type of [
      'ping',
      'healthcheck',
      'list_tables',
      'get_stats',
      'drop_table',
      'refresh',
      'CreatePreparedStatement',
      'CancelFlightInfo',
      'RenewFlightEndpoint',
      'SetSessionOptions',
    ]) {
      assert.ok(types.includes(type), type);
    }
    assert.equal(await act('ping'), 'pong');
    assert.equal(JSON.parse(await act('healthcheck')).status, 'SERVING');
    assert.deepEqual((await act('list_tables')).split('\n'), ['other.elsewhere', 'trades']);
    assert.equal(JSON.parse(await act('get_stats')).total_rows, 101);
    for (const name of ['trades', '{"dataset":"trades"}']) {
      const { table_count: count, tables, total_rows: rows } = JSON.parse(await act('get_stats', name));
      assert.deepEqual([count, tables[0].name, rows], [1, 'trades', 100]);
    }
    await assert.rejects(act('get_stats', 'trade'), hasCode('NOT_FOUND'));
    assert.deepEqual(JSON.parse(await act('refresh')), { added: [], changed: [], removed: [] });
    await assert.rejects(act('drop_table', 'nowhere'), hasCode('NOT_FOUND'));
    await assert.rejects(act('no such action'), hasCode('NOT_FOUND'));
  });
});

describe('a server that is read-only', () => {
  it('refuses puts and drops', async () => {
    const server = new FlightServer(createFlightService(createDatasetStore(), { readOnly: true }));
    await server.listen('grpc+tcp://127.0.0.1:0');
    const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
    try {
      const table = tableFromArrays({ v: Int32Array.of(1) });
      const call = client.doPut(FlightDescriptor.forPath('kept'));
      await assert.rejects(async () => {
        await call.writer.begin(table.schema);
        await call.writer.writeTable(table);
        await call.writer.close();
      }, hasCode('UNAUTHORIZED'));
      await assert.rejects(
        client.doAction(new Action('drop_table', 'kept')).toArray(),
        hasCode('UNAUTHORIZED'),
      );
    } finally {
      await client.close();
      await server.shutdown({ graceMs: 0 });
    }
  });
});

describe('plain Flight without an engine', () => {
  it('serves datasets, and says that it has no SQL', async () => {
    const server = new FlightServer(createFlightService(createDatasetStore(), { acceptAnyLogin: true }));
    await server.listen('grpc+tcp://127.0.0.1:0');
    const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
    try {
      const [, bearer] = await client.authenticateBasicToken('anyone', 'anything');
      assert.match(bearer, /^Bearer /);
      const table = tableFromArrays({ v: Int32Array.of(1) });
      const call = client.doPut(FlightDescriptor.forPath('kept'));
      await call.writer.begin(table.schema);
      await call.writer.writeTable(table);
      await call.writer.close();
      assert.equal((await client.doGet(new Ticket('kept')).readAll()).numRows, 1);
      await assert.rejects(client.doGet(new Ticket('SELECT 1')).readAll(), hasCode('UNIMPLEMENTED'));
      await assert.rejects(
        client.doGet(new Ticket('{"dataset":"kept","limit":1}')).readAll(),
        hasCode('UNIMPLEMENTED'),
      );
    } finally {
      await client.close();
      await server.shutdown({ graceMs: 0 });
    }
  });
});
