import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Table } from 'apache-arrow';
import { FlightError, FlightUnavailableError, FlightWriteSizeExceededError } from '../../src/errors.ts';
import { FlightBatchDecoder } from '../../src/stream/batch-decoder.ts';
import { StreamChunk } from '../../src/stream/chunk.ts';
import { createStreamWriter } from '../../src/stream/writer.ts';
import { numbers } from './batches.ts';
import { FakeBody, FakeSink, parse, text } from './fakes.ts';

/** What a sink got: kind or rows, metadata, and a star for a descriptor. */
function show(sink: FakeSink): string[] {
  const decoder = new FlightBatchDecoder();
  return sink.messages.map((message) => {
    const decoded = decoder.decode(parse(message));
    const what = decoded.kind === 'batch' ? String(decoded.data.numRows) : decoded.kind;
    const metadata = text(decoded.appMetadata);
    return `${what}${metadata === undefined ? '' : ` ${metadata}`}${decoded.descriptor === undefined ? '' : ' *'}`;
  });
}

const descriptor: Uint8Array = Uint8Array.of(8, 1);
const failedPrecondition = (error: unknown): boolean =>
  error instanceof FlightError && error.code === 'FAILED_PRECONDITION';

describe('a stream writer', () => {
  it('sends the schema with the descriptor, then what it is given, in order', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink, { descriptor });
    const batch = numbers(3);
    await writer.begin(batch.schema);
    await writer.writeBatch(batch);
    await writer.writeMetadata('alone');
    await writer.writeWithMetadata(batch, new TextEncoder().encode('both'));
    await writer.doneWriting();
    assert.deepEqual(show(sink), ['schema *', 'dictionary', '3', 'metadata alone', '3 both']);
    assert.equal(sink.ended, true);
  });

  it('begins with the schema of the first batch or table', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink, { descriptor });
    await writer.writeMetadata('first');
    assert.equal(writer.schema, undefined);
    const table = new Table([numbers(3), numbers(2)]);
    await writer.writeTable(table);
    assert.equal(writer.schema, table.schema);
    assert.deepEqual(show(sink), ['metadata *', 'metadata first', 'schema', 'dictionary', '3', '2']);
  });

  it('cuts a table to chunks', async () => {
    const sink = new FakeSink();
    await createStreamWriter(sink).writeTable(new Table([numbers(300), numbers(5)]), { maxChunksize: 100 });
    assert.deepEqual(show(sink), ['schema', 'dictionary', '100', '100', '100', '5']);
  });

  it('sends the schema of a table without rows', async () => {
    const sink = new FakeSink();
    await createStreamWriter(sink).writeTable(new Table(numbers(1).schema));
    assert.deepEqual(show(sink), ['schema']);
  });

  it('waits while the sink is full, and does not mix writes that were not waited for', async () => {
    const sink = new FakeSink();
    sink.room = 0;
    const writer = createStreamWriter(sink, { write: { targetMessageBytes: 4_000 } });
    const writes = [
      writer.writeWithMetadata(numbers(500, 0, 20), 'a'),
      writer.writeWithMetadata(numbers(500, 500, 20), 'b'),
      writer.writeMetadata('c'),
      writer.doneWriting(),
    ];
    assert.equal(sink.messages.length, 1);
    await Promise.all(writes);
    assert.ok(sink.waits > 8);
    const seen = show(sink).filter((line) => / [abc]$/.test(line));
    assert.deepEqual(
      seen.map((line) => line.slice(-1)),
      ['a', 'b', 'c'],
    );
    assert.equal(sink.ended, true);
  });

  it('sends chunks on and releases them once the bytes left', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink, { write: { targetMessageBytes: 4_000 } });
    const body = new FakeBody(new Uint8Array(8));
    await writer.writeChunk(new StreamChunk(numbers(500, 0, 20), new TextEncoder().encode('m'), body));
    await writer.writeChunk(new StreamChunk(undefined, new TextEncoder().encode('alone'), undefined));
    const lines = show(sink);
    assert.deepEqual([lines[2]?.endsWith(' m'), lines.at(-1)], [true, 'metadata alone']);
    for (const message of sink.messages.slice(0, -2)) message.onFlushed?.();
    assert.equal(body.released, 0);
    sink.messages.at(-2)?.onFlushed?.();
    assert.equal(body.released, 1);
  });

  it('goes on after a batch above the write size limit', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink, { write: { writeSizeLimitBytes: 20_000 } });
    const batch = numbers(1000, 0, 30);
    await assert.rejects(writer.writeBatch(batch), FlightWriteSizeExceededError);
    assert.deepEqual(show(sink), ['schema']);
    await writer.writeBatch(batch.slice(0, 400));
    await writer.writeBatch(batch.slice(400, 800));
    assert.deepEqual(show(sink), ['schema', 'dictionary', '400', '400']);
  });

  it('takes options of begin before its own', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink, { write: { targetMessageBytes: 1_000 } });
    const batch = numbers(1000);
    await writer.begin(batch.schema, { targetMessageBytes: Number.POSITIVE_INFINITY });
    await writer.writeBatch(batch);
    assert.deepEqual(show(sink), ['schema', 'dictionary', '1000']);
  });

  it('refuses a second beginning and writing after the end', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink);
    await writer.begin(numbers(1).schema);
    await assert.rejects(writer.begin(numbers(1).schema), failedPrecondition);
    await writer.doneWriting();
    await writer.doneWriting();
    await assert.rejects(writer.writeBatch(numbers(1)), failedPrecondition);
    await assert.rejects(writer.writeMetadata('x'), failedPrecondition);
  });

  it('tells the peer the descriptor even when nothing was written', async () => {
    const sink = new FakeSink();
    await createStreamWriter(sink, { descriptor }).close();
    assert.deepEqual(show(sink), ['metadata *']);
    assert.equal(sink.ended, true);
  });

  it('waits for the end of the call when it is closed', async () => {
    const sink = new FakeSink();
    let finished = 0;
    const writer = createStreamWriter(sink, {
      finished: () => {
        finished += 1;
        return Promise.reject(new FlightUnavailableError('gone'));
      },
    });
    await writer.writeBatch(numbers(1));
    await assert.rejects(writer.close(), /gone/);
    await assert.rejects(async () => {
      await writer[Symbol.asyncDispose]();
    }, /gone/);
    assert.equal(finished, 1);
    assert.equal(sink.ended, true);
  });

  it('rejects with the error of the call', async () => {
    const sink = new FakeSink();
    const writer = createStreamWriter(sink);
    await writer.begin(numbers(1).schema);
    sink.error = new FlightUnavailableError('gone');
    await assert.rejects(writer.writeBatch(numbers(1)), sink.error);
    await assert.rejects(writer.writeMetadata('x'), sink.error);
  });
});
