import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Table, Utf8, vectorFromArray } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { bytesMessage, type OutgoingMessage } from '../../src/grpc/index.ts';
import { FlightDescriptor, PutResult } from '../../src/model/index.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { FlightBatchEncoder } from '../../src/stream/batch-encoder.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import { RecordBatchStream } from '../../src/stream/record-batch-stream.ts';
import { batchOf, exchange, get, numbers, put, start, valuesOf } from './fixture.ts';

describe('DoGet', () => {
  it('says so when a handler returns nothing', async () => {
    // as JavaScript may
    const handlers: FlightHandlers = JSON.parse('{}');
    Object.assign(handlers, { doGet: () => undefined });
    await using running = await start(handlers);
    await assert.rejects(
      get(running.channel, 't').reader.readAll(),
      /doGet gave undefined; it should return/,
    );
  });

  it('sends whatever a handler returns', async () => {
    const table = numbers(1, 2, 3);
    const sources: Readonly<Record<string, Required<FlightHandlers>['doGet']>> = {
      table: () => table,
      batch: () => batchOf(1, 2, 3),
      batches: () => [batchOf(1, 2), batchOf(3)],
      promise: () => Promise.resolve(table),
      generator: function* () {
        yield batchOf(1, 2);
        yield batchOf(3);
      },
      'asynchronous generator': async function* () {
        yield batchOf(1, 2);
        await Promise.resolve();
        yield batchOf(3);
      },
      RecordBatchStream: () => new RecordBatchStream(table),
      GeneratorStream: () => new GeneratorStream(table.schema, [table]),
      'something of its own': () => ({
        sendTo: (sink, options) => new RecordBatchStream(table).sendTo(sink, options),
      }),
    };
    for (const [name, doGet] of Object.entries(sources)) {
      await using running = await start({ doGet });
      assert.deepEqual(valuesOf(await get(running.channel, 't').reader.readAll()), [1, 2, 3], name);
    }
  });

  it('sends a schema when there are no rows', async () => {
    await using running = await start({
      doGet: ({ ticket }) =>
        Buffer.from(ticket).toString() === 'table' ? numbers() : new GeneratorStream(numbers(1).schema, []),
    });
    for (const ticket of ['table', 'generator']) {
      const table = await get(running.channel, ticket).reader.readAll();
      assert.equal(table.numRows, 0);
      assert.deepEqual(table.schema.names, ['x']);
    }
  });

  it('says what is wrong when there are no batches and no schema', async () => {
    await using running = await start({ doGet: () => [] });
    await assert.rejects(get(running.channel, 't').reader.readAll(), /schema/);
  });

  it('carries application metadata', async () => {
    await using running = await start({
      doGet: () =>
        new GeneratorStream(numbers(1).schema, [[batchOf(1), 'one'], batchOf(2), { appMetadata: 'alone' }]),
    });
    const seen: unknown[] = [];
    for await (const { data, appMetadata } of get(running.channel, 't').reader) {
      seen.push([data?.numRows, appMetadata && Buffer.from(appMetadata).toString()]);
    }
    assert.deepEqual(seen, [
      [1, 'one'],
      [1, undefined],
      [undefined, 'alone'],
    ]);
  });
});

describe('DoPut', () => {
  it('gives the handler descriptor and data, and the client its answers as they are written', async () => {
    const seen: unknown[] = [];
    await using running = await start({
      async doPut(descriptor, reader, writer) {
        seen.push(descriptor.path);
        for await (const { data, appMetadata } of reader) {
          seen.push(data?.numRows);
          await writer.write(`ack ${Buffer.from(appMetadata ?? []).toString()}`);
        }
        await writer.write('done');
      },
    });
    const { call, writer } = put(running.channel, FlightDescriptor.forPath('a', 'b'));
    const answer = async (): Promise<string | undefined> => {
      const bytes = await call.read();
      return bytes && Buffer.from(PutResult.deserialize(bytes).appMetadata).toString();
    };
    await writer.writeWithMetadata(batchOf(1, 2), 'one');
    assert.equal(await answer(), 'ack one');
    await writer.writeMetadata('two');
    assert.equal(await answer(), 'ack two');
    await writer.doneWriting();
    assert.equal(await answer(), 'done');
    assert.equal(await answer(), undefined);
    assert.deepEqual(seen, [['a', 'b'], 2, undefined]);
  });

  it('can answer before the client has sent its data, and end without reading it', async () => {
    await using running = await start({
      async doPut(_descriptor, _reader, writer) {
        await writer.write('early');
      },
    });
    const { call, writer } = put(running.channel);
    await writer.begin(numbers(1).schema);
    assert.ok(await call.read());
    assert.equal(await call.read(), undefined);
  });

  it('refuses messages that are none', async () => {
    const rows: number[] = [];
    await using running = await start({
      async doPut(_descriptor, reader) {
        for await (const { data } of reader) rows.push(data?.numRows ?? 0);
      },
    });
    const { call, writer } = put(running.channel);
    await writer.begin(numbers(1).schema);
    // a FlightData message whose header is no flatbuffer
    call.write(bytesMessage(Uint8Array.of(0x12, 0x08, 1, 2, 3, 4, 5, 6, 7, 8)));
    call.end();
    await assert.rejects(call.read(), FlightInvalidArgumentError);
    assert.deepEqual(rows, []);
  });
});

describe('validation of what clients send', () => {
  /** A batch of texts as messages, with the offset after the first text changed to lead far out. */
  function damagedMessages(): OutgoingMessage[] {
    const table = new Table({ x: vectorFromArray(['a', 'bc', 'def'], new Utf8()) });
    const [batch] = table.batches;
    assert.ok(batch);
    const encoder = new FlightBatchEncoder(table.schema);
    const schema = encoder.schema(FlightDescriptor.forPath('x').serialize());
    const [message] = [...encoder.batch(batch)];
    assert.ok(message);
    const bytes = Buffer.concat(message.pieces);
    const offsets = bytes.indexOf(Buffer.from(Int32Array.of(0, 1, 3, 6).buffer));
    assert.ok(offsets > 0);
    bytes.writeInt32LE(1_000_000, offsets + 4);
    return [schema, bytesMessage(bytes)];
  }

  async function putDamaged(validate: 'full' | 'lengths' | undefined): Promise<number> {
    let rows = 0;
    await using running = await start(
      {
        async doPut(_descriptor, reader) {
          rows = (await reader.readAll()).numRows;
        },
      },
      validate === undefined ? {} : { ipc: { validate } },
    );
    const { call } = put(running.channel);
    for (const message of damagedMessages()) call.write(message);
    call.end();
    assert.equal(await call.read(), undefined);
    return rows;
  }

  it('goes to the bottom unless told otherwise', async () => {
    await assert.rejects(putDamaged(undefined), FlightInvalidArgumentError);
    await assert.rejects(putDamaged('full'), FlightInvalidArgumentError);
    assert.equal(await putDamaged('lengths'), 3);
  });
});

describe('DoExchange', () => {
  it('reads and writes at the same time, batches with and without metadata', async () => {
    await using running = await start({
      async doExchange(descriptor, reader, writer) {
        assert.equal(Buffer.from(descriptor.command).toString(), 'echo');
        for await (const { data, appMetadata } of reader) {
          if (data === undefined) await writer.writeMetadata(appMetadata ?? '');
          else if (appMetadata === undefined) await writer.writeBatch(data);
          else await writer.writeWithMetadata(data, appMetadata);
        }
      },
    });
    const { reader, writer } = exchange(running.channel, FlightDescriptor.forCommand('echo'));
    await writer.writeMetadata('first');
    const first = await reader.readNext();
    assert.equal(first?.data, undefined);
    assert.deepEqual(first?.appMetadata, new Uint8Array(Buffer.from('first')));
    for (let value = 0; value < 4; value += 1) {
      if (value % 2 === 0) await writer.writeWithMetadata(batchOf(value), String(value));
      else await writer.writeBatch(batchOf(value));
      const chunk = await reader.readNext();
      assert.deepEqual([...(chunk?.data?.getChild('x') ?? [])], [value]);
      assert.equal(chunk?.appMetadata !== undefined, value % 2 === 0);
    }
    await writer.doneWriting();
    assert.equal(await reader.readNext(), undefined);
  });

  it('may send although the client sends nothing', async () => {
    await using running = await start({
      async doExchange(_descriptor, _reader, writer) {
        await writer.writeTable(numbers(1, 2, 3));
      },
    });
    const { reader, writer } = exchange(running.channel);
    await writer.doneWriting();
    assert.deepEqual(valuesOf(await reader.readAll()), [1, 2, 3]);
  });
});
