import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  Action,
  type FlightCallOptions,
  type FlightClient,
  FlightDescriptor,
  Ticket,
  connect,
} from '@peregrine/flight';
import {
  Field,
  RecordBatch,
  Schema,
  Struct,
  type Table,
  Utf8,
  makeData,
  tableFromArrays,
} from 'apache-arrow';
import { type DataServer, serveData } from '../../src/serve.ts';
import { invalidUploads } from './invalid-batches.ts';

let folder: string;
let server: DataServer;
let client: FlightClient;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-store-puts-'));
  server = await serveData({ writable: folder, flightPort: 0, httpPort: undefined });
  client = connect(server.location);
});
after(async () => {
  await client.close();
  await server.shutdown();
  await rm(folder, { recursive: true });
});

const ints = (...values: number[]): Table => tableFromArrays({ n: Int32Array.from(values) });

type PutCall = ReturnType<FlightClient['doPut']>;

const open = (dataset: string, mode: string, options?: FlightCallOptions): PutCall =>
  client.doPut(FlightDescriptor.forCommand(JSON.stringify({ dataset, mode })), options);

async function put(dataset: string, table: Table, mode = 'replace'): Promise<void> {
  await using call = open(dataset, mode);
  await call.writer.begin(table.schema);
  await call.writer.writeTable(table);
  await call.writer.close();
}

async function read(ticket: string): Promise<number[]> {
  const table = await client.doGet(new Ticket(ticket)).readAll();
  return [...(table.getChildAt(0) ?? [])].map(Number);
}

/** Files of a dataset that are neither a version nor a part that the newest version names. */
async function leftovers(dataset: string): Promise<string[]> {
  const files = await readdir(join(folder, `${dataset}.peregrine`)).catch(() => []);
  return files.filter((name) => name.startsWith('.tmp-'));
}

/** What a failed put leaves is what was there, and no file of its own. */
async function assertUntouched(dataset: string): Promise<void> {
  const files = (): Promise<string[]> => readdir(join(folder, `${dataset}.peregrine`));
  // The server ends on its side when it has seen that the client is gone.
  while ((await files()).length !== 2) {
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  assert.equal((await files()).length, 2, (await files()).join(', '));
  assert.deepEqual(await leftovers(dataset), []);
  assert.deepEqual(await read(dataset), [1]);
  assert.deepEqual(await read(`SELECT n FROM ${dataset}`), [1]);
}

describe('A put into the store that fails half-way leaves what was there', () => {
  it('when the client goes', async () => {
    await put('gone', ints(1));
    for (const mode of ['replace', 'append']) {
      const call = open('gone', mode);
      await call.writer.begin(ints(2).schema);
      await call.writer.writeTable(ints(2, 3));
      // Each batch is acknowledged: the server has this one.
      assert.deepEqual(JSON.parse(Buffer.from((await call.reader.read()) ?? []).toString()), { rows: 2 });
      call.cancel();
      await assert.rejects(call.writer.close());
      await assertUntouched('gone');
    }
  });

  it('when its time is over', async () => {
    await put('late', ints(1));
    const call = open('late', 'replace', { timeoutMs: 300 });
    await assert.rejects(
      (async () => {
        await call.writer.begin(ints(2).schema);
        await call.writer.writeTable(ints(2));
        for (;;) if ((await call.reader.read()) === undefined) return;
      })(),
      { code: 'TIMED_OUT' },
    );
    await assertUntouched('late');
  });

  it('when a batch is not valid', async () => {
    await put('invalid', ints(1));
    const schema = new Schema([new Field('n', new Utf8())]);
    const children = [
      makeData({
        type: new Utf8(),
        length: 1,
        valueOffsets: Int32Array.of(0, 2),
        data: Uint8Array.of(0xff, 0xfe),
      }),
    ];
    const data = makeData({ type: new Struct(schema.fields), length: 1, nullCount: 0, children });
    const call = open('invalid', 'replace');
    await assert.rejects(
      (async () => {
        await call.writer.begin(schema);
        await call.writer.writeBatch(new RecordBatch(schema, data));
        await call.writer.close();
      })(),
      /UTF-8/,
    );
    await assertUntouched('invalid');
  });

  it('when a batch after others is not valid', async () => {
    await put('halfway', tableFromArrays({ n: Int32Array.of(1), w: ['old'] }));
    for (const [name, { good, bad }] of await invalidUploads(true)) {
      for (const mode of ['replace', 'append', 'create_append']) {
        const call = open('halfway', mode);
        for (const message of good) await call.writer.writeRaw(message);
        const answer = await call.reader.read();
        assert.deepEqual(JSON.parse(Buffer.from(answer ?? []).toString()), { rows: 3 }, name);
        await assert.rejects(
          async () => {
            for (const message of bad) await call.writer.writeRaw(message);
            await call.writer.close();
          },
          { code: 'INVALID_ARGUMENT' },
          `${name}, ${mode}`,
        );
        await assertUntouched('halfway');
      }
    }
  });

  it('when it has other columns, or values that do not fit', async () => {
    await put('columns', ints(1));
    for (const [table, message] of [
      [tableFromArrays({ other: Int32Array.of(2) }), /has no column other; it has n INTEGER/],
      [tableFromArrays({ n: ['no number'] }), /no number/],
      [tableFromArrays({ n: BigInt64Array.of(2n ** 40n) }), /1099511627776/],
    ] as const) {
      await assert.rejects(put('columns', table, 'append'), message);
      await assertUntouched('columns');
    }
    await assert.rejects(put('columns', ints(2), 'create'), { code: 'ALREADY_EXISTS' });
    await assertUntouched('columns');
  });

  it('when it ends before its schema, or names nothing', async () => {
    const call = open('nothing', 'replace');
    await assert.rejects(
      (async () => {
        await call.writer.writeMetadata('hello');
        await call.writer.close();
      })(),
      /ended before its schema/,
    );
    assert.equal(server.files.get('nothing'), undefined);
    await assert.rejects(put(' ', ints(1)), /INVALID_ARGUMENT.*name/);
    await assert.rejects(put('x'.repeat(300), ints(1)), /INVALID_ARGUMENT.*shorter/);
  });
});

describe('Puts into the store', () => {
  it('of several clients at once are each there, whole', async () => {
    const clients = Array.from({ length: 4 }, () => connect(server.location));
    try {
      await Promise.all(
        clients.map(async (each, i) => {
          for (let round = 0; round < 3; round += 1) {
            const call = each.doPut(FlightDescriptor.forCommand('{"dataset":"many","mode":"create_append"}'));
            const values = Array.from({ length: 1000 }, (_, row) => (i * 3 + round) * 1000 + row);
            await call.writer.begin(ints().schema);
            await call.writer.writeTable(ints(...values));
            await call.writer.close();
          }
        }),
      );
    } finally {
      await Promise.all(clients.map((each) => each.close()));
    }
    assert.deepEqual(await read('SELECT count(*) FROM many'), [12_000]);
    assert.deepEqual(await read('SELECT count(DISTINCT n) FROM many'), [12_000]);
    assert.equal(Number((await client.getFlightInfo(FlightDescriptor.forPath('many'))).totalRecords), 12_000);
  });

  it('take the mode by header too, and acknowledge each batch', async () => {
    const call = client.doPut(FlightDescriptor.forPath('acknowledged'), {
      headers: { 'x-peregrine-put-mode': 'create' },
    });
    await call.writer.begin(ints().schema);
    const answers: unknown[] = [];
    for (const rows of [ints(1, 2), ints(3), ints(4, 5, 6)]) {
      await call.writer.writeTable(rows);
      answers.push(JSON.parse(Buffer.from((await call.reader.read()) ?? []).toString()));
    }
    await call.writer.doneWriting();
    answers.push(JSON.parse(Buffer.from((await call.reader.read()) ?? []).toString()));
    assert.deepEqual(answers, [{ rows: 2 }, { rows: 3 }, { rows: 6 }, { rows: 6, done: true }]);
    await call.writer.close();
    await client.doAction(new Action('drop_table', 'acknowledged')).toArray();
    await assert.rejects(read('acknowledged'), { code: 'NOT_FOUND' });
  });
});
