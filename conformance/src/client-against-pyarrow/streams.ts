// DoGet, DoPut and DoExchange.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Action,
  FlightCancelledError,
  FlightDescriptor,
  FlightInternalError,
  FlightTimedOutError,
  FlightUnauthorizedError,
  FlightWriteSizeExceededError,
  Ticket,
} from '@peregrine/flight';
import { Dictionary, Int32, makeData, Table, Utf8, Vector, vectorFromArray } from 'apache-arrow';

import { bodies, columnOf, hasBegun, numbers, text, withServer } from './pyarrow-server.ts';

export function checkStreams(): void {
  describe('doGet', () => {
    const context = withServer(() => []);

    it('reads batches one by one, as a table, and as a web stream', async () => {
      const reader = context.client.doGet(new Ticket('numbers'));
      assert.deepEqual(
        (await reader.schema).fields.map((field) => field.name),
        ['n'],
      );
      assert.deepEqual(columnOf((await reader.readNext())?.data), [1, 2, 3]);
      assert.equal(await reader.readNext(), undefined);
      assert.deepEqual(columnOf(await context.client.doGet(new Ticket('numbers')).readAll()), [1, 2, 3]);
      const seen: unknown[] = [];
      for await (const batch of context.client.doGet(new Ticket('numbers')).toReadableStream()) {
        seen.push(...columnOf(batch));
      }
      assert.deepEqual(seen, [1, 2, 3]);
    });

    it('gives application metadata with its batch, and its absence as absence', async () => {
      const seen: unknown[] = [];
      for await (const { data, appMetadata } of context.client.doGet(new Ticket('metadata'))) {
        seen.push([columnOf(data), appMetadata === undefined ? undefined : text(appMetadata)]);
      }
      assert.deepEqual(seen, [
        [[0], '0'],
        [[1], undefined],
        [[2], '2'],
        [[3], undefined],
        [[4], '4'],
      ]);
    });

    for (const codec of ['lz4', 'zstd']) {
      it(`reads bodies compressed with ${codec}`, async () => {
        const table = await context.client.doGet(new Ticket(`compressed:${codec}`)).readAll();
        assert.equal(table.numRows, 100_000);
        assert.deepEqual(columnOf(table).slice(0, 9), [0, 1, 2, 3, 4, 5, 6, 0, 1]);
        assert.equal(table.getChild('text')?.get(99_999), 'text');
      });
    }

    it('reads dictionaries that change from batch to batch', async () => {
      const table = await context.client.doGet(new Ticket('deltas')).readAll();
      assert.deepEqual(columnOf(table, 'd'), ['a', 'b', 'c', 'b', 'd']);
    });

    it('counts messages as pyarrow does', async () => {
      for (const name of ['numbers', 'types', 'deltas', 'metadata']) {
        const reader = context.client.doGet(name);
        await reader.readAll();
        const [theirs = ''] = await bodies(context.client, 'stats', name);
        assert.deepEqual(Object.values(reader.stats), JSON.parse(theirs), name);
      }
    });

    it('reads a batch of 256 MiB', async () => {
      let rows = 0;
      for await (const chunk of context.client.doGet(new Ticket('large:256')).scoped()) {
        rows += chunk.data?.numRows ?? 0;
      }
      assert.equal(rows, 256 * 131_072);
    });

    it('fails at the first await when the server fails at once', async () => {
      const reader = context.client.doGet(new Ticket('error:internal'));
      await assert.rejects(reader.schema, FlightInternalError);
      await assert.rejects(reader.readNext(), FlightInternalError);
    });

    it('gives what came before a failure midway, then the error with its bytes', async () => {
      const seen: unknown[] = [];
      await assert.rejects(
        async () => {
          for await (const { data } of context.client.doGet(new Ticket('midway')))
            seen.push(...columnOf(data));
        },
        (error) =>
          error instanceof FlightInternalError &&
          /broke midway.*DoGet at/s.test(error.message) &&
          text(error.extraInfo) === 'extra',
      );
      assert.deepEqual(seen, [1, 2]);
    });

    it('leaving the loop early stops the server', async () => {
      for await (const { data } of context.client.doGet(new Ticket('endless'))) {
        assert.equal(data?.numRows, 1000);
        break;
      }
      assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
    });

    it('cancel() and the signal stop the server', async () => {
      await hasBegun(context.client, 0);
      const reader = context.client.doGet(new Ticket('silent'));
      const next = assert.rejects(reader.readNext(), FlightCancelledError);
      assert.ok(await hasBegun(context.client, 120));
      reader.cancel('changed my mind');
      await next;
      assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
      const controller = new AbortController();
      const silent = context.client.doGet(new Ticket('silent'), { signal: controller.signal });
      const other = assert.rejects(silent.readNext(), FlightCancelledError);
      assert.ok(await hasBegun(context.client, 120));
      controller.abort();
      await other;
      assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
    });

    it('ends with TIMED_OUT when its time is over', async () => {
      await hasBegun(context.client, 0);
      // a busy machine may not have begun to serve the call when its time is over
      for (let timeoutMs = 100; ; timeoutMs *= 4) {
        const silent = context.client.doGet(new Ticket('silent'), { timeoutMs });
        await assert.rejects(silent.readNext(), FlightTimedOutError);
        if (await hasBegun(context.client, 0)) break;
      }
      assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
      await assert.rejects(
        context.client.doAction(new Action('sleep', '5'), { timeoutMs: 100 }).toArray(),
        (error) => error instanceof FlightTimedOutError && /DoAction at grpc:/.test(error.message),
      );
    });
  });

  describe('doPut', () => {
    const context = withServer(() => []);

    it('sends every type so that pyarrow finds it equal to its own', async () => {
      const table = await context.client.doGet(new Ticket('types')).readAll();
      for (const options of [
        {},
        { ipc: { compression: 'lz4' } },
        { ipc: { compression: 'zstd' } },
      ] as const) {
        const { writer } = context.client.doPut(FlightDescriptor.forPath('types'), options);
        await writer.writeTable(table);
        await writer.close();
        assert.deepEqual(await bodies(context.client, 'same as types', 'types'), ['[]']);
      }
    });

    it('sends metadata with batches and alone, and reads the answers meanwhile', async () => {
      const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('metadata'));
      const [batch = assert.fail()] = numbers(1, 2).batches;
      await writer.begin(batch.schema);
      await writer.writeWithMetadata(batch, 'with');
      assert.equal(text(await reader.read()), '2 with');
      await writer.writeMetadata('alone');
      assert.equal(text(await reader.read()), '-1 alone');
      await writer.writeBatch(batch);
      assert.equal(text(await reader.read()), '2 -');
      await writer.doneWriting();
      assert.equal(text(await reader.read()), 'stored');
      assert.equal(await reader.read(), undefined);
      await writer.close();
      assert.deepEqual(
        columnOf(await context.client.doGet(new Ticket('stored:metadata')).readAll()),
        [1, 2, 1, 2],
      );
    });

    it('cuts a table into batches of the size wanted', async () => {
      const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('cut'));
      await writer.writeTable(numbers(...Array.from({ length: 10 }, (_, index) => index)), {
        maxChunksize: 4,
      });
      await writer.close();
      const answers: string[] = [];
      for await (const answer of reader) answers.push(text(answer));
      assert.deepEqual(answers, ['4 -', '4 -', '2 -', 'stored']);
    });

    it('sends a stream that has a schema only', async () => {
      const { writer } = context.client.doPut(FlightDescriptor.forPath('empty'));
      await writer.begin(numbers().schema);
      await writer.close();
      const [description = ''] = await bodies(context.client, 'describe', 'empty');
      assert.deepEqual(JSON.parse(description), { rows: 0, batches: [], schema: 'n: int32' });
    });

    it('splits what would be too large for a message', async () => {
      const large = new Table({ n: vectorFromArray(new Int32Array(4 * 1024 * 1024)) });
      const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('large'));
      await writer.writeTable(large);
      await writer.close();
      let parts = 0;
      for await (const answer of reader) if (!/stored/.test(text(answer))) parts += 1;
      assert.ok(parts >= 4, `${parts} parts`);
      const [description = ''] = await bodies(context.client, 'describe', 'large');
      assert.equal((JSON.parse(description) as { rows: number }).rows, large.numRows);
    });

    it('cuts a dictionary that would be too large for a message, and reads it back', async () => {
      const words = Array.from({ length: 60_000 }, (_, i) => `word ${i} `.padEnd(100, '.'));
      const indices = Int32Array.from({ length: 80_000 }, (_, i) => (i * 7919) % words.length);
      const type = new Dictionary(new Utf8(), new Int32(), 1);
      const dictionary = vectorFromArray(words, new Utf8());
      const table = new Table({ w: new Vector([makeData({ type, data: indices, dictionary })]) });
      await using call = context.client.doPut(FlightDescriptor.forPath('words'));
      await call.writer.writeTable(table);
      await call.writer.close();
      const [description = ''] = await bodies(context.client, 'describe', 'words');
      const { batches } = JSON.parse(description) as { batches: readonly number[] };
      assert.ok(batches.length > 1, description);
      const back = await context.client.doGet(new Ticket('stored:words')).readAll();
      assert.equal(back.numRows, indices.length);
      const column = back.getChild('w');
      for (let i = 0; i < indices.length; i += 7) assert.equal(column?.get(i), words[indices[i] ?? 0]);
    });

    it('refuses a batch above the write size limit, which can be cut and sent again', async () => {
      const options = { ipc: { writeSizeLimitBytes: 1000, targetMessageBytes: Infinity } };
      const { writer } = context.client.doPut(FlightDescriptor.forPath('limited'), options);
      const table = numbers(...Array.from({ length: 400 }, (_, index) => index));
      const [batch = assert.fail()] = table.batches;
      await assert.rejects(
        writer.writeBatch(batch),
        (error) =>
          error instanceof FlightWriteSizeExceededError &&
          error.limit === 1000 &&
          /DoPut at/.test(error.message),
      );
      for (let from = 0; from < 400; from += 100) await writer.writeBatch(batch.slice(from, from + 100));
      await writer.close();
      assert.equal((await context.client.doGet(new Ticket('stored:limited')).readAll()).numRows, 400);
    });

    it('counts what it sends as pyarrow does what it gets', async () => {
      for (const emitDictionaryDeltas of [false, true]) {
        const options = { ipc: { emitDictionaryDeltas } };
        const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('stats'), options);
        for (const values of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
          // all with the same id of their dictionary
          const type = new Dictionary(new Utf8(), new Int32(), 1);
          await writer.writeTable(new Table({ d: vectorFromArray(values, type) }));
        }
        await writer.doneWriting();
        const theirs = text(await reader.read());
        await writer.close();
        assert.deepEqual(Object.values(writer.stats), JSON.parse(theirs));
        assert.equal(writer.stats.dictionaryDeltas > 0, emitDictionaryDeltas);
        assert.equal(writer.stats.replacedDictionaries > 0, !emitDictionaryDeltas);
      }
    });

    it('fails with the error of the server', async () => {
      const put = async (name: string): Promise<void> => {
        const { writer } = context.client.doPut(FlightDescriptor.forPath(name));
        for (let i = 0; i < 10_000; i += 1) await writer.writeTable(numbers(1, 2, 3));
        await writer.close();
      };
      await assert.rejects(put('error:unauthorized'), FlightUnauthorizedError);
      await assert.rejects(
        put('error after one'),
        (error) =>
          error instanceof FlightInternalError &&
          /enough.*DoPut at/s.test(error.message) &&
          text(error.extraInfo) === 'extra',
      );
    });

    it('closes well when the server wants no more', async () => {
      const { writer } = context.client.doPut(FlightDescriptor.forPath('ignored'));
      await writer.begin(numbers().schema);
      await writer.close();
    });
  });

  describe('doExchange', () => {
    const context = withServer(() => []);

    it('echoes batches and metadata, keeping absence', async () => {
      const { writer, reader } = context.client.doExchange(FlightDescriptor.forCommand('echo'));
      for (let i = 0; i < 4; i += 1) {
        const [batch = assert.fail()] = numbers(i, i + 1).batches;
        await (i % 2 === 0 ? writer.writeWithMetadata(batch, String(i)) : writer.writeBatch(batch));
        const chunk = await reader.readNext();
        assert.deepEqual(columnOf(chunk?.data), [i, i + 1]);
        assert.equal(
          chunk?.appMetadata === undefined ? undefined : text(chunk.appMetadata),
          i % 2 === 0 ? String(i) : undefined,
        );
      }
      await writer.doneWriting();
      assert.equal(await reader.readNext(), undefined);
      await writer.close();
    });

    it('only metadata, in both directions', async () => {
      const echo = context.client.doExchange(FlightDescriptor.forCommand('echo'));
      await echo.writer.writeMetadata('ping');
      assert.equal(text((await echo.reader.readNext())?.appMetadata), 'ping');
      await echo.writer.close();
      const only = context.client.doExchange(FlightDescriptor.forCommand('metadata only'));
      await only.writer.doneWriting();
      const seen: string[] = [];
      for await (const { data, appMetadata } of only.reader) {
        assert.equal(data, undefined);
        seen.push(text(appMetadata));
      }
      assert.deepEqual(seen, ['hello', 'world']);
    });

    it('reads without writing, and may leave what it was sent unread', async () => {
      const get = context.client.doExchange(FlightDescriptor.forCommand('get'));
      await get.writer.doneWriting();
      assert.deepEqual(columnOf(await get.reader.readAll()), [1, 2, 3]);
      const unread = context.client.doExchange(FlightDescriptor.forCommand('get'));
      await unread.writer.close();
    });

    it('sends much in both directions at once', async () => {
      const { writer, reader } = context.client.doExchange(FlightDescriptor.forCommand('echo'));
      const table = new Table({ n: vectorFromArray(new Int32Array(100_000)) });
      const write = async (): Promise<void> => {
        for (let i = 0; i < 200; i += 1) await writer.writeTable(table);
        await writer.doneWriting();
      };
      const read = async (): Promise<number> => {
        let rows = 0;
        for await (const chunk of reader.scoped()) rows += chunk.data?.numRows ?? 0;
        return rows;
      };
      const [rows] = await Promise.all([read(), write()]);
      assert.equal(rows, 200 * 100_000);
      await writer.close();
    });

    it('fails with the error of the server', async () => {
      const { writer, reader } = context.client.doExchange(FlightDescriptor.forCommand('error:unauthorized'));
      await writer.begin(numbers().schema).catch(() => undefined);
      await assert.rejects(reader.readNext(), FlightUnauthorizedError);
      await assert.rejects(writer.close(), /DoExchange at/);
    });
  });
}
