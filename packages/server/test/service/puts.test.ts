import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  Action,
  type FlightClient,
  FlightDescriptor,
  FlightError,
  FlightServer,
  Ticket,
  connect,
} from '@peregrine/flight';
import {
  Dictionary,
  Int32,
  makeData,
  type RecordBatch,
  Table,
  tableFromArrays,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { createDatasetStore } from '../../src/datasets/dataset.ts';
import { createFlightService } from '../../src/service/flight-service.ts';
import { invalidUploads } from './invalid-batches.ts';

const limit = 32 << 20;

describe('putting datasets', () => {
  const server = new FlightServer(createFlightService(createDatasetStore(), { maxMemoryBytes: limit }));
  let client: FlightClient;

  before(async () => {
    await server.listen('grpc+tcp://127.0.0.1:0');
    client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
  });

  after(async () => {
    await client.close();
    await server.shutdown();
  });

  async function put(name: string, table: Table, mode?: string, targetMessageBytes?: number): Promise<void> {
    const descriptor =
      mode === undefined
        ? FlightDescriptor.forPath(name)
        : FlightDescriptor.forCommand(JSON.stringify({ dataset: name, mode }));
    await using call = client.doPut(descriptor);
    await call.writer.begin(table.schema, targetMessageBytes === undefined ? {} : { targetMessageBytes });
    await call.writer.writeTable(table);
    await call.writer.close();
  }

  const get = (name: string): Promise<Table> => client.doGet(new Ticket(name)).readAll();
  const numbers = async (name: string): Promise<number[]> => [...((await get(name)).getChild('n') ?? [])];
  const ints = (...values: number[]): Table => tableFromArrays({ n: Int32Array.from(values) });
  const drop = async (name: string): Promise<void> => {
    await client.doAction(new Action('drop_table', name)).toArray();
  };

  function refuses(code: string, message: RegExp): (error: unknown) => boolean {
    return (error) => {
      assert.ok(error instanceof FlightError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    };
  }

  it('creates, replaces and appends as it is told', async () => {
    await put('modes', ints(1, 2));
    await put('modes', ints(3));
    assert.deepEqual(await numbers('modes'), [3], 'a put without a mode replaces');
    await put('modes', ints(4, 5), 'append');
    await put('modes', ints(6), 'create_append');
    assert.deepEqual(await numbers('modes'), [3, 4, 5, 6]);
    const info = await client.getFlightInfo(FlightDescriptor.forPath('modes'));
    assert.equal(info.totalRecords, 4n);
    await assert.rejects(put('modes', ints(7), 'create'), refuses('ALREADY_EXISTS', /modes already/));
    await assert.rejects(
      put('absent', ints(7), 'append'),
      refuses('NOT_FOUND', /no dataset absent to append/),
    );
    await assert.rejects(
      put('modes', tableFromArrays({ other: ['x'] }), 'append'),
      refuses('FAILED_PRECONDITION', /other columns/),
    );
    assert.deepEqual(await numbers('modes'), [3, 4, 5, 6]);
  });

  it('appends text with other dictionaries', async () => {
    await put('words', tableFromArrays({ w: ['a', 'b', 'a'] }));
    await put('words', tableFromArrays({ w: ['c', 'a'] }), 'append');
    assert.deepEqual([...((await get('words')).getChild('w') ?? [])], ['a', 'b', 'a', 'c', 'a']);
  });

  it('keeps what was there when the client goes away half-way', async () => {
    await put('kept', ints(1));
    const call = client.doPut(FlightDescriptor.forPath('kept'));
    await call.writer.begin(ints(2).schema);
    await call.writer.writeTable(ints(2, 3));
    // The server answers each batch, so it has this one.
    await call.reader.read();
    call.cancel();
    await assert.rejects(call.writer.close());
    assert.deepEqual(await numbers('kept'), [1]);
  });

  it('keeps what was there when a batch half-way is not valid, in every mode', async () => {
    await put('whole', tableFromArrays({ n: Int32Array.of(1), w: ['old'] }));
    for (const [name, { good, bad }] of await invalidUploads(false)) {
      for (const mode of ['replace', 'append', 'create_append']) {
        const command = FlightDescriptor.forCommand(JSON.stringify({ dataset: 'whole', mode }));
        const call = client.doPut(command);
        for (const message of good) await call.writer.writeRaw(message);
        // The server answers each batch, so it has taken the first ones.
        const answer = await call.reader.read();
        assert.deepEqual(JSON.parse(Buffer.from(answer ?? []).toString()), { rows: 3 }, name);
        await assert.rejects(
          async () => {
            for (const message of bad) await call.writer.writeRaw(message);
            await call.writer.close();
          },
          refuses('INVALID_ARGUMENT', /DoPut/),
          `${name}, ${mode}`,
        );
        assert.deepEqual(await numbers('whole'), [1], `${name}, ${mode}`);
      }
      const absent = client.doPut(FlightDescriptor.forPath('absent'));
      for (const message of good) await absent.writer.writeRaw(message);
      await assert.rejects(
        async () => {
          for (const message of bad) await absent.writer.writeRaw(message);
          await absent.writer.close();
        },
        refuses('INVALID_ARGUMENT', /DoPut/),
      );
      await assert.rejects(get('absent'), refuses('NOT_FOUND', /absent/), name);
    }
    await drop('whole');
  });

  it('keeps what was there when the new rows take too much memory, and says both numbers', async () => {
    await put('limited', ints(1));
    const large = tableFromArrays({ n: new Int32Array(3 << 20) });
    await assert.rejects(
      (async () => {
        await using call = client.doPut(FlightDescriptor.forPath('limited'));
        await call.writer.begin(large.schema);
        for (let i = 0; i < 8; i++) await call.writer.writeTable(large);
        await call.writer.close();
      })(),
      refuses('RESOURCE_EXHAUSTED', new RegExp(`to \\d+ bytes and the limit is ${limit}`)),
    );
    assert.deepEqual(await numbers('limited'), [1]);
    // What the failed one took is free again.
    for (let i = 0; i < 5; i++) await put('limited', large);
    assert.equal((await get('limited')).numRows, 3 << 20);
    await drop('limited');
  });

  it('sends batches above 4 MiB in parts, with the same rows, and small ones as they came', async () => {
    const rows = 1_200_003;
    const n = Int32Array.from({ length: rows }, (_, i) => i);
    const table = tableFromArrays({ n, w: Array.from({ length: rows }, (_, i) => `w${i % 7}`) });
    await put('long', table, undefined, Infinity);
    const batches: RecordBatch[] = [];
    for await (const { data } of client.doGet(new Ticket('long'))) if (data !== undefined) batches.push(data);
    assert.ok(batches.length > 1);
    let bytes = 0;
    for await (const { dataBody } of client.doGet(new Ticket('long')).raw())
      bytes = Math.max(bytes, dataBody.length);
    assert.ok(bytes <= 4 << 20, `a body of ${bytes} bytes`);
    const got = await get('long');
    assert.deepEqual(Int32Array.from(got.getChild('n')?.toArray() ?? []), n);
    assert.equal(got.getChild('w')?.get(rows - 1), `w${(rows - 1) % 7}`);
    await drop('long');
  });

  it('sends dictionaries above 4 MiB in parts, whole or in parts as they came', async () => {
    const words = Array.from({ length: 90_000 }, (_, i) => `word ${i} `.padEnd(70, '.'));
    const indices = Int32Array.from({ length: 150_000 }, (_, i) => (i * 7919) % words.length);
    const type = new Dictionary(new Utf8(), new Int32(), 1);
    const dictionary = vectorFromArray(words, new Utf8());
    const table = new Table({ w: new Vector([makeData({ type, data: indices, dictionary })]) });
    for (const target of [Infinity, undefined]) {
      await put('wide', table, undefined, target);
      let bytes = 0;
      for await (const { dataBody } of client.doGet(new Ticket('wide')).raw())
        bytes = Math.max(bytes, dataBody.length);
      assert.ok(bytes <= 4 << 20, `a body of ${bytes} bytes`);
      const got = (await get('wide')).getChild('w');
      assert.equal(got?.length, indices.length);
      for (let i = 0; i < indices.length; i += 97) assert.equal(got?.get(i), words[indices[i] ?? 0]);
    }
    await drop('wide');
  });

  it('lets streams end that began before their dataset was replaced and its memory used again', async () => {
    const size = 1 << 20;
    await put('moving', tableFromArrays({ n: new Int32Array(size).fill(1) }));
    const reader = client.doGet(new Ticket('moving'));
    await reader.readNext();
    for (const value of [2, 3, 4]) {
      await put('moving', tableFromArrays({ n: new Int32Array(size).fill(value) }));
    }
    for await (const { data } of reader) {
      for (const value of data?.getChild('n') ?? []) assert.equal(value, 1);
    }
    assert.equal((await numbers('moving'))[0], 4);
    await drop('moving');
  });

  it('stores whole what several clients put at once', async () => {
    const others = [1, 2, 3, 4];
    await Promise.all(
      others.map(async (value) => put('both', tableFromArrays({ n: new Int32Array(50_000).fill(value) }))),
    );
    const got = await numbers('both');
    assert.equal(got.length, 50_000);
    assert.equal(new Set(got).size, 1);
    await put('sum', ints(0));
    await Promise.all(others.map((value) => put('sum', ints(value), 'append')));
    assert.deepEqual((await numbers('sum')).sort(), [0, 1, 2, 3, 4]);
  });

  it('gives the memory back', async () => {
    for (const name of ['modes', 'words', 'kept', 'both', 'sum']) await drop(name);
    await assert.rejects(get('modes'), refuses('NOT_FOUND', /no dataset "modes"/));
    // All of the limit is there again.
    const most = tableFromArrays({ n: new Int32Array((limit - (1 << 20)) >> 2) });
    await put('most', most, undefined, Infinity);
    await drop('most');
  });
});

describe('the actions of the data server', () => {
  const server = new FlightServer(createFlightService(createDatasetStore()));
  let client: FlightClient;

  before(async () => {
    await server.listen('grpc+tcp://127.0.0.1:0');
    client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
    await using call = client.doPut(FlightDescriptor.forPath('t'));
    await call.writer.writeTable(tableFromArrays({ n: Int32Array.of(1, 2) }));
    await call.writer.close();
  });

  after(async () => {
    await client.close();
    await server.shutdown();
  });

  async function act(type: string, body = ''): Promise<string> {
    const results = await client.doAction(new Action(type, body)).toArray();
    return results.map((result) => Buffer.from(result.body).toString()).join('\n');
  }

  it('answers', async () => {
    assert.equal(await act('ping'), 'pong');
    assert.deepEqual(JSON.parse(await act('healthcheck')), { status: 'SERVING', datasets: 1 });
    assert.equal(await act('list_tables'), 't');
    const stats: unknown = JSON.parse(await act('get_stats'));
    assert.ok(typeof stats === 'object' && stats !== null && 'total_rows' in stats);
    assert.equal(stats.total_rows, 2);
    assert.deepEqual(JSON.parse(await act('refresh')), { added: [], changed: [], removed: [] });
    const types = (await client.listActions().toArray()).map(({ type }) => type);
    for (const type of ['ping', 'healthcheck', 'list_tables', 'get_stats', 'drop_table']) {
      assert.ok(types.includes(type), type);
    }
  });

  it('refuses what is not there', async () => {
    for (const type of ['nonsense', 'constructor', '']) {
      await assert.rejects(
        act(type),
        (error) => error instanceof FlightError && error.code === 'NOT_FOUND',
        type,
      );
    }
    await assert.rejects(act('drop_table', 'nothing'), /there is no dataset "nothing"/);
    await assert.rejects(act('drop_table'), /needs the name/);
    assert.equal(await act('drop_table', 't'), 'dropped t');
    assert.equal(await act('list_tables'), '');
  });
});
