import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Action, type FlightClient, FlightDescriptor, Ticket, connect } from '@peregrine/flight';
import { writeIpcFile } from '@peregrine/flight/ipc';
import { FlightSqlClient } from '@peregrine/flight/sql';
import {
  type RecordBatch,
  Table,
  Utf8,
  makeData,
  makeVector,
  tableFromArrays,
  tableToIPC,
} from 'apache-arrow';
import { type DataServer, type DataServerOptions, serveData } from '../../src/serve.ts';

let folder: string;
let server: DataServer;
let client: FlightClient;

const numbers = (...values: number[]): Table => tableFromArrays({ n: Int32Array.from(values) });
const lay = async (name: string, content: string | Table): Promise<void> => {
  const temporary = join(folder, '.next');
  await writeFile(temporary, typeof content === 'string' ? content : tableToIPC(content, 'file'));
  await rename(temporary, join(folder, name));
};

/** The same rows in several batches. */
function cut(table: Table, rows: number): RecordBatch[] {
  return Array.from({ length: Math.ceil(table.numRows / rows) }, (_, i) => i * rows).flatMap(
    (from) => table.slice(from, from + rows).batches,
  );
}

async function start(options: DataServerOptions = {}): Promise<void> {
  server = await serveData({ data: [folder], flightPort: 0, httpPort: undefined, ...options });
  client = connect(server.location);
}

async function stop(): Promise<void> {
  await client.close();
  await server.shutdown();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, table: Table, mode?: string): Promise<Record<string, unknown>> {
  const call = client.doPut(
    FlightDescriptor.forCommand(JSON.stringify({ dataset: name, ...(mode !== undefined && { mode }) })),
  );
  await call.writer.begin(table.schema);
  await call.writer.writeTable(table);
  await call.writer.doneWriting();
  const answers: string[] = [];
  for await (const answer of call.reader) answers.push(Buffer.from(answer).toString());
  await call.writer.close();
  const last: unknown = JSON.parse(answers.at(-1) ?? '{}');
  assert.ok(typeof last === 'object' && last !== null);
  return { ...last };
}

async function read(ticket: string): Promise<number[]> {
  const table = await client.doGet(new Ticket(ticket)).readAll();
  return [...(table.getChildAt(0) ?? [])].map(Number);
}

async function act(type: string, body = ''): Promise<string> {
  const results = await client.doAction(new Action(type, body)).toArray();
  return results.map((result) => Buffer.from(result.body).toString()).join('');
}

describe('A put over a file of a server that only reads its files', () => {
  for (const [kind, file, content, other] of [
    ['an Arrow', 'flights.arrow', numbers(1, 2), numbers(8, 9)],
    ['a text', 'flights.csv', 'n\n1\n2\n', 'n\n8\n9\n'],
  ] as const) {
    it(`stands before ${kind} file until it is dropped, for Flight and SQL`, async () => {
      await lay(file, content);
      await start();
      try {
        const before = await readFile(join(folder, file));
        assert.deepEqual(await read('SELECT n FROM flights'), [1, 2]);
        assert.deepEqual(await put('Flights', numbers(3)), { rows: 1, inPlaceOf: file, done: true });
        assert.deepEqual(await read('flights'), [3]);
        assert.deepEqual(await read('SELECT n FROM flights'), [3]);
        assert.deepEqual(await read('{"dataset":"flights","filter":"n > 2"}'), [3]);
        await put('flights', numbers(4), 'append');
        assert.deepEqual(await read('FLIGHTS'), [3, 4]);
        assert.equal((await act('list_tables')).toLowerCase(), 'flights');
        assert.match(await act('get_stats'), new RegExp(`"origin":"memory, in the place of ${file}"`));
        assert.deepEqual(await readFile(join(folder, file)), before);

        await lay(file, other);
        await act('refresh');
        assert.deepEqual(await read('flights'), [3, 4], 'a change of the file is not seen now');
        assert.deepEqual(await read('SELECT n FROM flights'), [3, 4]);

        await act('drop_table', 'flights');
        assert.deepEqual(await read('flights'), [8, 9], 'the file is served again, as it is now');
        assert.deepEqual(await read('SELECT n FROM flights'), [8, 9]);
        assert.equal(await act('list_tables'), 'flights');
        await assert.rejects(act('drop_table', 'flights'), /UNAUTHORIZED.*only reads its files.*--writable/);
      } finally {
        await stop();
      }
    });
  }

  it('is refused in the modes that would need the file, before rows are sent', async () => {
    await lay('a.csv', 'n\n1\n');
    await start();
    try {
      await assert.rejects(put('a', numbers(2), 'create'), { code: 'ALREADY_EXISTS' });
      for (const mode of ['append', 'create_append']) {
        await assert.rejects(put('a', numbers(2), mode), /FAILED_PRECONDITION.*a\.csv.*--writable/);
      }
      assert.deepEqual(await read('SELECT n FROM a'), [1]);
    } finally {
      await stop();
    }
  });

  it('keeps its name when a file comes later, and the file is there when it is dropped', async () => {
    await start();
    try {
      await put('late', numbers(1));
      await lay('late.csv', 'n\n7\n');
      await act('refresh');
      assert.deepEqual(await read('late'), [1]);
      assert.deepEqual(await read('SELECT n FROM late'), [1]);
      await act('drop_table', 'late');
      assert.deepEqual(await read('SELECT n FROM late'), [7]);
      await put('late', numbers(2));
      await rm(join(folder, 'late.csv'));
      await act('refresh');
      assert.deepEqual(await read('SELECT n FROM late'), [2]);
      await act('drop_table', 'late');
      await assert.rejects(read('SELECT n FROM late'), { code: 'NOT_FOUND' });
      await assert.rejects(read('late'), { code: 'NOT_FOUND' });
    } finally {
      await stop();
    }
  });

  it('leaves nothing in a database file', async () => {
    const database = join(folder, 'main.duckdb');
    await start({ data: [], database });
    await put('passing', numbers(1, 2));
    assert.deepEqual(await read('passing'), [1, 2]);
    assert.deepEqual(await read('SELECT n FROM files.passing'), [1, 2]);
    await stop();
    await start({ data: [], database });
    try {
      assert.deepEqual(await read('SELECT count(*) AS n FROM duckdb_views() WHERE NOT internal'), [0]);
    } finally {
      await stop();
    }
  });

  it('is apart from a database that is called datasets, and shown once', async () => {
    const database = join(folder, 'datasets.duckdb');
    await start({ data: [], database });
    try {
      await client.doGet(new Ticket('CREATE TABLE stored AS SELECT 5 AS n')).readAll();
      assert.deepEqual(await put('passing', numbers(1, 2)), { rows: 2, done: true });
      assert.deepEqual(await read('SELECT n FROM files.passing'), [1, 2]);
      const listed = (await act('list_tables')).split('\n');
      assert.ok(listed.includes('passing') && listed.includes('stored'), String(listed));
      const sql = new FlightSqlClient(client);
      assert.deepEqual(
        (await sql.getTables()).map(({ catalogName, tableName }) => [catalogName, tableName]),
        [
          ['datasets', 'stored'],
          ['files', 'passing'],
        ],
      );
      assert.deepEqual((await sql.getCatalogs()).toSorted(), ['datasets', 'files']);
      assert.deepEqual(
        (await sql.getDbSchemas()).map(({ catalogName }) => catalogName),
        ['datasets', 'files'],
      );
    } finally {
      await stop();
    }
    await start({ data: [], database });
    try {
      assert.deepEqual(await read('SELECT n FROM stored'), [5]);
      assert.equal(await act('list_tables'), 'stored');
    } finally {
      await stop();
    }
  });
});

describe('Files of a folder', () => {
  it('are read to their end as they were, when they are replaced meanwhile', async () => {
    const rows = 2_000_000;
    const old = tableFromArrays({ n: new Int32Array(rows).fill(1) });
    await writeFile(join(folder, 'a.arrow'), Buffer.concat(writeIpcFile(new Table(cut(old, 50_000)))));
    await start();
    try {
      const reader = client.doGet(new Ticket('a'));
      let seen = (await reader.readNext())?.data?.numRows ?? 0;
      await lay('a.arrow', numbers(2));
      await act('refresh');
      assert.deepEqual(await read('a'), [2]);
      for await (const { data } of reader) {
        for (const value of data?.getChildAt(0) ?? []) assert.equal(value, 1);
        seen += data?.numRows ?? 0;
      }
      assert.equal(seen, rows);
    } finally {
      await stop();
    }
  });

  it('that are broken are told of, and the others are served', async () => {
    await lay('whole.arrow', numbers(1));
    const bytes = tableToIPC(numbers(...Array.from({ length: 1000 }, (_, i) => i)), 'file');
    await writeFile(join(folder, 'cut.arrow'), bytes.subarray(0, bytes.length / 2));
    await lay('broken.parquet', 'PAR1 this is none');
    await lay('broken.json', '{"a": ');
    await writeFile(join(folder, 'broken.duckdb'), 'no database');
    await start();
    try {
      const flights = await client.listFlights().toArray();
      assert.deepEqual(
        flights.map(({ descriptor }) => descriptor?.path?.join('.')),
        ['whole'],
      );
      assert.deepEqual(await read('SELECT n FROM whole'), [1]);
      for (const name of ['cut', 'broken', 'broken_json', 'broken_duckdb']) {
        await assert.rejects(read(name), new RegExp(name.replace(/_.*/, '')), name);
        await assert.rejects(read(`SELECT * FROM ${name}`), /cannot be read/, name);
      }
      assert.equal(await act('ping'), 'pong');
      const { problems, tables } = JSON.parse(await act('get_stats'));
      assert.ok(tables.some(({ name }: { name: string }) => name === 'cut'));
      const told = new Map(
        problems.map((each: { origin: string; message: string }) => [each.origin, each.message]),
      );
      assert.deepEqual([...told.keys()].sort(), ['broken', 'broken_duckdb', 'broken_json', 'cut']);
      assert.match(String(told.get('broken')), /parquet|magic|footer/i);
      // Whole again: served again.
      await lay('cut.arrow', numbers(5));
      await act('refresh');
      assert.deepEqual(await read('SELECT n FROM cut'), [5]);
    } finally {
      await stop();
    }
  });

  it('that SQL fails to read say why, and not to ask again', async () => {
    const text = makeData({
      type: new Utf8(),
      length: 1,
      nullCount: 0,
      valueOffsets: Int32Array.of(0, 1),
      data: Uint8Array.of(0xff),
    });
    await lay('odd.arrow', new Table({ w: makeVector(text) }));
    await start();
    try {
      for (const sql of ['SELECT w FROM odd', 'SELECT count(*) AS n FROM odd']) {
        await assert.rejects(read(sql), /odd cannot be read: .*UTF-8/, sql);
      }
      await lay('odd.arrow', numbers(6));
      await act('refresh');
      assert.deepEqual(await read('SELECT n FROM odd'), [6]);
    } finally {
      await stop();
    }
  });

  it('that would have one name are each served under their own, for Flight and SQL', async () => {
    await lay('a.csv', 'n\n1\n');
    await lay('A.tsv', 'n\n2\n');
    await lay('a.arrow', numbers(3));
    await lay('a.ndjson', '{"n":4}\n');
    await start();
    try {
      assert.deepEqual((await act('list_tables')).split('\n'), ['A_tsv', 'a', 'a_csv', 'a_ndjson']);
      for (const [name, n] of [
        ['a', 3],
        ['a_ndjson', 4],
        ['a_csv', 1],
        ['a_tsv', 2],
      ] as const) {
        assert.deepEqual(await read(name), [n], name);
        assert.deepEqual(await read(`SELECT n FROM ${name}`), [n], name);
      }
      // The one that had the name is gone: the next has it.
      await rm(join(folder, 'a.arrow'));
      await act('refresh');
      assert.deepEqual((await act('list_tables')).split('\n'), ['A_tsv', 'a', 'a_csv']);
      assert.deepEqual(await read('a'), [4]);
      assert.deepEqual(await read('SELECT n FROM a'), [4]);
    } finally {
      await stop();
    }
  });
});
