import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type FlightClient, FlightDescriptor, connect } from '@peregrine/flight';
import { Dictionary, Int32, Table, Utf8, tableFromArrays, tableToIPC, vectorFromArray } from 'apache-arrow';
import { type DataServer, serveData } from '../../src/serve.ts';

let folder: string;
let server: DataServer;
let client: FlightClient;

const numbers = (from: number, to: number): Table =>
  tableFromArrays({ n: Int32Array.from({ length: to - from }, (_, i) => from + i) });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-exchange-'));
  await writeFile(join(folder, 'names.arrow'), tableToIPC(numbers(0, 3), 'file'));
  server = await serveData({ data: [folder], flightPort: 0, httpPort: undefined, readOnly: true });
  client = connect(server.location);
});
after(async () => {
  await client.close();
  await server.shutdown();
  await rm(folder, { recursive: true });
});

const open = (command: string | object): ReturnType<FlightClient['doExchange']> =>
  client.doExchange(
    FlightDescriptor.forCommand(typeof command === 'string' ? command : JSON.stringify(command)),
  );

const values = (table: Table): unknown[] => [...(table.getChildAt(0) ?? [])];

describe('An exchange, on a server that is read-only', () => {
  it('joins what is sent with a file that SQL names for the first time', async () => {
    const call = open('SELECT i.n FROM input i JOIN names USING (n) ORDER BY 1');
    await call.writer.begin(numbers(0, 0).schema);
    await call.writer.writeTable(numbers(1, 10));
    await call.writer.doneWriting();
    assert.deepEqual(values(await call.reader.readAll()), [1, 2]);
  });

  it('answers over no batches, and over nothing at all', async () => {
    const empty = open('SELECT count(*)::INTEGER AS c FROM input');
    await empty.writer.begin(numbers(0, 0).schema);
    await empty.writer.doneWriting();
    assert.deepEqual(values(await empty.reader.readAll()), [0]);

    const nothing = open('SELECT 7 AS seven');
    await nothing.writer.doneWriting();
    assert.deepEqual(values(await nothing.reader.readAll()), [7]);

    const missing = open('SELECT * FROM input');
    await missing.writer.doneWriting();
    await assert.rejects(missing.reader.readAll(), /input/);
  });

  it('says that SQL is wrong when it has the schema, before the batches are sent', async () => {
    const call = open('SELECT missing FROM input');
    await call.writer.begin(numbers(0, 0).schema);
    // Nothing more is sent: the answer comes all the same.
    await assert.rejects(call.reader.readAll(), /INVALID_ARGUMENT.*missing/);
  });

  it('refuses SQL that changes something, and a command that is no SQL', async () => {
    const change = open('CREATE TABLE kept AS FROM input');
    await change.writer.begin(numbers(0, 0).schema);
    await assert.rejects(change.reader.readAll(), /UNAUTHORIZED.*read-only/);
    for (const [command, message] of [
      ['names', /INVALID_ARGUMENT.*SQL text/],
      [{ sql: 'SELECT 1', columns: ['a'] }, /INVALID_ARGUMENT.*stands alone/],
      [{ sql: 'SELECT 1', per_batch: 'yes' }, /INVALID_ARGUMENT.*per_batch/],
    ] as const) {
      const call = open(command);
      await call.writer.doneWriting();
      await assert.rejects(call.reader.readAll(), message);
    }
  });

  it('answers batch by batch when it is told to, before the next one is sent', async () => {
    const call = open({ sql: 'SELECT sum(n)::INTEGER AS s FROM input', per_batch: true });
    await call.writer.begin(numbers(0, 0).schema);
    for (const [from, to] of [
      [0, 3],
      [3, 5],
      [5, 6],
    ] as const) {
      const [batch] = numbers(from, to).batches;
      assert.ok(batch);
      await call.writer.writeBatch(batch);
      const answer = await call.reader.readNext();
      const expected = Array.from({ length: to - from }, (_, i) => from + i).reduce((sum, n) => sum + n, 0);
      assert.equal(answer?.data?.getChildAt(0)?.get(0), expected);
    }
    await call.writer.doneWriting();
    assert.equal(await call.reader.readNext(), undefined);
  });

  it('keeps the dictionaries of a stream for each of its batches', async () => {
    const type = new Dictionary(new Utf8(), new Int32());
    const table = new Table({ tag: vectorFromArray(['x', 'y', 'x', 'z'], type) });
    const call = open({ sql: 'SELECT string_agg(tag, $$$$) AS tags FROM input', per_batch: true });
    await call.writer.begin(table.schema);
    for (const [from, to] of [
      [0, 2],
      [2, 4],
    ] as const) {
      for (const batch of table.slice(from, to).batches) await call.writer.writeBatch(batch);
    }
    await call.writer.doneWriting();
    assert.deepEqual(values(await call.reader.readAll()), ['xy', 'xz']);
  });

  it('has an answer without rows when no batch came', async () => {
    const call = open({ sql: 'SELECT n FROM input', per_batch: true });
    await call.writer.begin(numbers(0, 0).schema);
    await call.writer.doneWriting();
    const table = await call.reader.readAll();
    assert.deepEqual([table.numRows, table.schema.names], [0, ['n']]);
  });

  it('ends when the client goes, and gives everything back', async () => {
    const before = server.engine.statistics;
    for (const perBatch of [false, true]) {
      const call = open({ sql: 'SELECT a.n FROM input a, range(100000000)', per_batch: perBatch });
      await call.writer.begin(numbers(0, 0).schema);
      await call.writer.writeTable(numbers(0, 1000));
      if (!perBatch) await call.writer.doneWriting();
      await call.reader.readNext();
      call.reader.cancel();
      // It ends on its side when it has seen that nobody listens.
      for (;;) {
        const { batchBytes, connections, running } = server.engine.statistics;
        if (connections <= before.connections && running === 0 && batchBytes === 0) break;
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
    }
  });
});
