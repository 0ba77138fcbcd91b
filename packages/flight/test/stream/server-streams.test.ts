import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordBatchReader, Table } from 'apache-arrow';
import { FlightCancelledError, FlightInvalidArgumentError } from '../../src/errors.ts';
import { ipcFileMessages } from '../../src/ipc/file-reader.ts';
import { writeIpcFile } from '../../src/ipc/file-writer.ts';
import { readIpcStream } from '../../src/ipc/stream-reader.ts';
import { writeIpcStream } from '../../src/ipc/stream-writer.ts';
import { FlightBatchDecoder } from '../../src/stream/batch-decoder.ts';
import { GeneratorStream, type GeneratorStreamItem } from '../../src/stream/generator-stream.ts';
import { RawIpcStream } from '../../src/stream/raw-ipc-stream.ts';
import { createStreamReader } from '../../src/stream/reader.ts';
import { RecordBatchStream } from '../../src/stream/record-batch-stream.ts';
import type { FlightDataStream, FlightSendOptions } from '../../src/stream/types.ts';
import { joined } from '../ipc/values.ts';
import { numbers } from './batches.ts';
import { FakeSink, FakeSource, metadata, parse, text } from './fakes.ts';

const batches = [numbers(3), numbers(4, 3)];
const schema = numbers(1).schema;

async function send(stream: FlightDataStream, options?: FlightSendOptions): Promise<string[]> {
  const sink = new FakeSink();
  sink.room = 0;
  await stream.sendTo(sink, options);
  assert.equal(sink.ended, false);
  return show(sink);
}

function show(sink: FakeSink): string[] {
  const decoder = new FlightBatchDecoder();
  return sink.messages.map((message) => {
    const decoded = decoder.decode(parse(message));
    const what = decoded.kind === 'batch' ? String(decoded.data.numRows) : decoded.kind;
    return decoded.appMetadata === undefined ? what : `${what} ${text(decoded.appMetadata)}`;
  });
}

const all = ['schema', 'dictionary', '3', '4'];

describe('RecordBatchStream', () => {
  it('sends tables, arrays and readers', async () => {
    assert.deepEqual(await send(new RecordBatchStream(new Table(batches))), all);
    assert.deepEqual(await send(new RecordBatchStream(batches)), all);
    const ipc = joined(writeIpcStream(batches));
    assert.deepEqual(await send(new RecordBatchStream(await readIpcStream(ipc))), all);
    assert.deepEqual(await send(new RecordBatchStream(RecordBatchReader.from(ipc).open())), all);
    const source = {
      schema,
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        yield* batches;
      },
    };
    assert.deepEqual(await send(new RecordBatchStream(source)), all);
  });

  it('sends the schema when there are no batches', async () => {
    assert.deepEqual(await send(new RecordBatchStream(new Table(schema))), ['schema']);
    assert.deepEqual(await send(new RecordBatchStream([], { schema })), ['schema']);
    await assert.rejects(send(new RecordBatchStream([])), FlightInvalidArgumentError);
  });

  it('splits as the server says, unless told otherwise', async () => {
    const table = new Table([numbers(1000)]);
    const write = { targetMessageBytes: 8_000 };
    assert.ok((await send(new RecordBatchStream(table), { write })).length > 4);
    const lifted = new RecordBatchStream(table, { targetMessageBytes: Number.POSITIVE_INFINITY });
    assert.equal((await send(lifted, { write })).length, 3);
  });
});

describe('GeneratorStream', () => {
  const items: GeneratorStreamItem[] = [
    numbers(3),
    [numbers(2), 'with'],
    new TextEncoder().encode('alone'),
    new Table(batches),
    [new Table(batches), 'first'],
    { data: numbers(1), appMetadata: 'named' },
    { appMetadata: 'named alone' },
    [new Table(schema), 'no rows'],
  ];
  const expected = [
    'schema',
    'dictionary',
    '3',
    '2 with',
    'metadata alone',
    '3',
    '4',
    '3 first',
    '4',
    '1 named',
    'metadata named alone',
    'metadata no rows',
  ];

  it('sends everything that generators, synchronous or not, and other iterables give', async () => {
    assert.deepEqual(await send(new GeneratorStream(schema, items)), expected);
    assert.deepEqual(await send(new GeneratorStream(schema, () => items)), expected);
    const generator = async function* (): AsyncGenerator<GeneratorStreamItem> {
      for (const item of items) {
        await new Promise((resolve) => setImmediate(resolve));
        yield item;
      }
    };
    assert.deepEqual(await send(new GeneratorStream(schema, generator)), expected);
    assert.deepEqual(await send(new GeneratorStream(schema, generator())), expected);
  });

  it('tells when the memory of an item is free again', async () => {
    const flushed: string[] = [];
    const items = [
      { data: new Table(batches), onFlushed: () => flushed.push('table') },
      { data: numbers(1), onFlushed: () => flushed.push('batch') },
      { data: new Table(schema), onFlushed: () => flushed.push('no rows') },
    ];
    const sink = new FakeSink();
    await new GeneratorStream(schema, items).sendTo(sink);
    assert.deepEqual(flushed, ['no rows']);
    const marks = sink.messages.map(({ onFlushed }) => onFlushed !== undefined);
    assert.deepEqual(marks, [false, false, false, true, true]);
    for (const { onFlushed } of sink.messages) onFlushed?.();
    assert.deepEqual(flushed, ['no rows', 'table', 'batch']);
  });

  it('rejects with what the generator throws, after what it gave', async () => {
    const sink = new FakeSink();
    const stream = new GeneratorStream(schema, function* (): Generator<GeneratorStreamItem> {
      yield numbers(3);
      throw new Error('no more');
    });
    await assert.rejects(stream.sendTo(sink), /no more/);
    assert.deepEqual(show(sink), ['schema', 'dictionary', '3']);
  });

  it('tells a generator that yields nothing of use what it should yield', async () => {
    // programs without types may yield anything
    for (const [item, name] of [
      ['null', 'null'],
      ['7', '7'],
      ['"text"', 'text'],
    ] as const) {
      const odd: GeneratorStreamItem = JSON.parse(item);
      await assert.rejects(new GeneratorStream(schema, [odd]).sendTo(new FakeSink()), {
        code: 'INTERNAL',
        message: new RegExp(`the generator yielded .*${name}.*; it should yield batches`),
      });
    }
  });

  it('ends the generator when the call fails', async () => {
    for (const kind of ['sync', 'async']) {
      const sink = new FakeSink();
      let ended = false;
      const give = (count: number): GeneratorStreamItem => {
        if (count === 2) sink.error = new FlightCancelledError('gone');
        return numbers(count);
      };
      const stream = new GeneratorStream(
        schema,
        kind === 'sync'
          ? function* () {
              try {
                for (let count = 1; ; count++) yield give(count);
              } finally {
                ended = true;
              }
            }
          : async function* () {
              try {
                for (let count = 1; ; count++) {
                  await Promise.resolve();
                  yield give(count);
                }
              } finally {
                ended = true;
              }
            },
      );
      await assert.rejects(stream.sendTo(sink), FlightCancelledError);
      await Promise.resolve();
      await Promise.resolve();
      assert.equal(ended, true, kind);
    }
  });

  it('stops at once when the signal fires while the generator is busy', async () => {
    const controller = new AbortController();
    let ended = false;
    let finish: (() => void) | undefined;
    const stream = new GeneratorStream(schema, async function* (): AsyncGenerator<GeneratorStreamItem> {
      try {
        yield numbers(1);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        yield numbers(2);
      } finally {
        ended = true;
      }
    });
    const sink = new FakeSink();
    const sent = stream.sendTo(sink, { signal: controller.signal });
    setTimeout(() => controller.abort(new FlightCancelledError('gone')), 5);
    await assert.rejects(sent, /gone/);
    assert.equal(ended, false);
    finish?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ended, true);
    assert.deepEqual(show(sink), ['schema', 'dictionary', '1']);
  });

  it('asks a producer that waits for ever to stop, offers it the signal, and keeps nothing of it', async () => {
    assert.ok(global.gc, 'the tests run with --expose-gc');
    const { gc } = global;
    const kinds: Record<string, (source: () => AsyncIterable<never>) => FlightDataStream> = {
      GeneratorStream: (source) => new GeneratorStream(schema, source),
      RecordBatchStream: (source) => new RecordBatchStream(Object.assign(source(), { schema })),
      RawIpcStream: (source) => new RawIpcStream(source),
    };
    for (const [kind, make] of Object.entries(kinds)) {
      const controller = new AbortController();
      const offered: AbortSignal[] = [];
      let returned = 0;
      let held: WeakRef<object> | undefined;
      const begin = (): Promise<void> => {
        const memory = { bytes: new Uint8Array(1024 * 1024) };
        held = new WeakRef(memory);
        const stream = make((...[signal]: AbortSignal[]) => {
          if (signal !== undefined) offered.push(signal);
          return {
            [Symbol.asyncIterator]: () => ({
              next: () => new Promise<IteratorResult<never>>(() => memory),
              return: () => {
                returned += 1;
                return Promise.resolve({ done: true, value: undefined });
              },
            }),
          };
        });
        return stream.sendTo(new FakeSink(), { signal: controller.signal });
      };
      const sent = begin();
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([returned, held?.deref() === undefined], [0, false], kind);
      controller.abort(new FlightCancelledError('gone'));
      await assert.rejects(sent, /gone/, kind);
      assert.equal(returned, 1, kind);
      if (kind !== 'RecordBatchStream') assert.deepEqual(offered, [controller.signal], kind);
      for (let tries = 0; held?.deref() !== undefined && tries < 100; tries += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      assert.equal(held?.deref(), undefined, `${kind} keeps its producer`);
    }
  });

  it('refuses a batch of another schema', async () => {
    const other = new Table([numbers(1)]).select(['n']).batches[0];
    assert.ok(other !== undefined);
    await assert.rejects(send(new GeneratorStream(schema, [other])), FlightInvalidArgumentError);
  });
});

describe('RawIpcStream', () => {
  it('sends the messages of files and streams untouched', async () => {
    const file = joined(writeIpcFile(batches));
    assert.deepEqual(await send(new RawIpcStream(() => ipcFileMessages(file))), all);
  });

  it('sends FlightData on without its descriptor, and releases bodies if told so', async () => {
    const first = new FakeSink();
    await new RecordBatchStream(batches).sendTo(first);
    const messages = [...first.messages.map(parse), metadata('m')];
    for (const releaseBodies of [false, true]) {
      const reader = createStreamReader(
        new FakeSource(messages.map((message) => ({ ...message, descriptor: Uint8Array.of(1) }))),
      );
      const sink = new FakeSink();
      await new RawIpcStream(reader.raw(), { releaseBodies }).sendTo(sink);
      assert.deepEqual(show(sink), [...all, 'metadata m']);
      assert.ok(sink.messages.every((message) => parse(message).descriptor === undefined));
      assert.equal(sink.messages[3]?.onFlushed !== undefined, releaseBodies);
    }
  });

  it('does not copy bodies', async () => {
    const body = new Uint8Array(100_000);
    const sink = new FakeSink();
    await new RawIpcStream([{ header: Uint8Array.of(1), body }]).sendTo(sink);
    assert.equal(sink.messages[0]?.pieces[1], body);
  });

  it('sends what was encoded by hand, and says when its memory is free', async () => {
    const flushed: string[] = [];
    const { header } = { header: parse(await firstMessage()).dataHeader };
    const sink = new FakeSink();
    await new RawIpcStream([
      { header, onFlushed: () => flushed.push('schema') },
      { header: new Uint8Array(0), appMetadata: 'x' },
    ]).sendTo(sink);
    for (const message of sink.messages) message.onFlushed?.();
    assert.deepEqual(flushed, ['schema']);
    assert.deepEqual(show(sink), ['schema', 'metadata x']);
  });
});

async function firstMessage(): Promise<FakeSink['messages'][number]> {
  const sink = new FakeSink();
  await new RecordBatchStream([], { schema }).sendTo(sink);
  const [message] = sink.messages;
  assert.ok(message !== undefined);
  return message;
}
