import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordBatch } from 'apache-arrow';
import { FlightCancelledError, FlightDataError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { FlightBatchEncoder } from '../../src/stream/batch-encoder.ts';
import { encodeFlightData } from '../../src/proto/flight-data.ts';
import { createStreamReader } from '../../src/stream/reader.ts';
import type { FlightData, FlightStreamChunk } from '../../src/stream/types.ts';
import { batchValues } from '../ipc/values.ts';
import { numbers } from './batches.ts';
import { type FakeBody, FakeSource, metadata, parse, text } from './fakes.ts';

type Message = FlightData & { readonly body?: FakeBody | undefined };

function messagesOf(batches: readonly RecordBatch[], descriptor?: Uint8Array): Message[] {
  const [first] = batches;
  assert.ok(first !== undefined);
  const encoder = new FlightBatchEncoder(first.schema);
  const outgoing = [encoder.schema(descriptor)];
  for (const [index, batch] of batches.entries()) {
    outgoing.push(...encoder.batch(batch, { appMetadata: new TextEncoder().encode(`batch ${index}`) }));
  }
  return outgoing.map(parse);
}

function show(chunk: FlightStreamChunk | undefined): string {
  return `${chunk?.data?.numRows ?? '-'} ${text(chunk?.appMetadata) ?? '-'}`;
}

const batches = [numbers(3), numbers(4, 3), numbers(5, 7)];

describe('a stream reader', () => {
  for (const late of [false, true]) {
    it(`gives batches with their metadata, and metadata alone (messages ${late ? 'late' : 'there'})`, async () => {
      const [schema, ...rest] = messagesOf(batches);
      assert.ok(schema !== undefined);
      const messages = [metadata('early'), schema, metadata('between'), ...rest, metadata('last')];
      const reader = createStreamReader(new FakeSource(messages, late));
      const chunks: string[] = [];
      for await (const chunk of reader) chunks.push(show(chunk));
      assert.deepEqual(chunks, ['- early', '- between', '3 batch 0', '4 batch 1', '5 batch 2', '- last']);
      assert.equal(await reader.readNext(), undefined);
      assert.equal((await reader.schema).toString(), batches[0]?.schema.toString());
    });
  }

  it('gives no metadata of schemas and dictionaries, which arrow-go sends with those of its batches', async () => {
    const messages = messagesOf(batches).map((message, i) => ({
      ...message,
      appMetadata: i === 0 ? new TextEncoder().encode('batch 0') : message.appMetadata,
    }));
    const reader = createStreamReader(new FakeSource(messages));
    const chunks: string[] = [];
    for await (const chunk of reader) chunks.push(show(chunk));
    assert.deepEqual(chunks, ['3 batch 0', '4 batch 1', '5 batch 2']);
    const raw = createStreamReader(new FakeSource(messages)).raw();
    const first = await raw.next();
    assert.equal(text(first.value?.appMetadata), 'batch 0');
  });

  it('gives the schema before anything was read, and keeps the metadata that came earlier', async () => {
    const reader = createStreamReader(new FakeSource([metadata('early'), ...messagesOf(batches)], true));
    const next = reader.readNext();
    assert.equal((await reader.schema).fields.length, 3);
    assert.equal(show(await next), '- early');
    assert.equal(show(await reader.readNext()), '3 batch 0');
  });

  it('keeps the order for several who read at once', async () => {
    const reader = createStreamReader(new FakeSource(messagesOf(batches), true));
    const read = await Promise.all([
      reader.readNext(),
      reader.readNext(),
      reader.readNext(),
      reader.readNext(),
    ]);
    assert.deepEqual(read.map(show), ['3 batch 0', '4 batch 1', '5 batch 2', '- -']);
  });

  it('reads all batches into a table', async () => {
    const table = await createStreamReader(new FakeSource([...messagesOf(batches), metadata('x')])).readAll();
    assert.equal(table.numRows, 12);
    assert.deepEqual(table.batches.map(batchValues), batches.map(batchValues));
    const [schema] = messagesOf(batches);
    assert.ok(schema !== undefined);
    const empty = await createStreamReader(new FakeSource([schema])).readAll();
    assert.deepEqual([empty.numRows, empty.numCols], [0, 3]);
  });

  it('gives a web stream of batches', async () => {
    const stream = createStreamReader(
      new FakeSource([...messagesOf(batches), metadata('x')]),
    ).toReadableStream();
    const rows: number[] = [];
    for await (const batch of stream) rows.push(batch.numRows);
    assert.deepEqual(rows, [3, 4, 5]);
    const source = new FakeSource(messagesOf(batches));
    await createStreamReader(source).toReadableStream().cancel('enough');
    assert.equal(source.cancelled, 'enough');
  });

  it('gives the descriptor of the first message, which is still read', async () => {
    const descriptor = Uint8Array.of(8, 1);
    const reader = createStreamReader(new FakeSource(messagesOf(batches, descriptor), true));
    const [first, found] = await Promise.all([reader.readNext(), reader.descriptor]);
    assert.deepEqual([show(first), found], ['3 batch 0', descriptor]);
    const raw: FlightData[] = [];
    const other = createStreamReader(new FakeSource(messagesOf(batches, descriptor)));
    assert.deepEqual(await other.descriptor, descriptor);
    for await (const message of other.raw()) raw.push(message);
    assert.equal(raw.length, 1 + 1 + 3);
    assert.deepEqual(raw[0]?.descriptor, descriptor);
    assert.equal(await createStreamReader(new FakeSource([])).descriptor, undefined);
  });

  it('passes over a message that has nothing but a descriptor', async () => {
    const only = parse(encodeFlightData({ descriptor: Uint8Array.of(8, 1) }));
    const reader = createStreamReader(new FakeSource([only, ...messagesOf(batches)]));
    assert.equal(show(await reader.readNext()), '3 batch 0');
    assert.deepEqual(await reader.descriptor, Uint8Array.of(8, 1));
  });

  it('gives messages as they are on the wire', async () => {
    const messages = messagesOf(batches);
    const raw: FlightData[] = [];
    for await (const message of createStreamReader(new FakeSource(messages)).raw()) raw.push(message);
    assert.deepEqual(raw, messages);
  });

  it('releases a body when its chunk is, and never that of a dictionary', async () => {
    const messages = messagesOf(batches);
    const reader = createStreamReader(new FakeSource(messages));
    const chunk = await reader.readNext();
    assert.ok(chunk !== undefined);
    const bodies = messages.map(({ body }) => body?.released);
    chunk.release();
    chunk[Symbol.dispose]();
    assert.deepEqual(bodies, [1, 0, 0, 0, 0]);
    assert.deepEqual(
      messages.map(({ body }) => body?.released),
      [1, 0, 1, 0, 0],
    );
    const second = await reader.readNext();
    assert.equal(second?.data?.getChild('c')?.get(0), 'green');
  });

  it('in scoped reading releases each chunk when the next is asked for, and the last when the loop is left', async () => {
    const messages = messagesOf(batches);
    const source = new FakeSource(messages);
    const seen: (number | undefined)[][] = [];
    for await (const chunk of createStreamReader(source).scoped()) {
      seen.push(messages.slice(2).map(({ body }) => body?.released));
      assert.ok(chunk.data !== undefined && chunk.data.get(0)?.['n'] !== undefined);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, [
      [0, 0, 0],
      [1, 0, 0],
    ]);
    assert.deepEqual(
      messages.slice(2).map(({ body }) => body?.released),
      [1, 1, 0],
    );
    assert.equal(source.isCancelled, true);
  });

  it('cancels the call when a loop is left early, and not when it ran to the end', async () => {
    const source = new FakeSource(messagesOf(batches));
    for await (const chunk of createStreamReader(source)) if (chunk.data !== undefined) break;
    assert.equal(source.isCancelled, true);
    const other = new FakeSource(messagesOf(batches));
    for await (const chunk of createStreamReader(other)) assert.ok(chunk.data !== undefined);
    assert.equal(other.isCancelled, false);
  });

  it('rejects a read that waits when it is cancelled', async () => {
    const source = new FakeSource(messagesOf(batches.slice(0, 1)), true);
    source.open = true;
    const reader = createStreamReader(source);
    await reader.readNext();
    const next = reader.readNext();
    setTimeout(() => reader.cancel('no more'), 1);
    await assert.rejects(next, FlightCancelledError);
    assert.equal(source.cancelled, 'no more');
    await assert.rejects(reader.readNext(), FlightCancelledError);
  });

  it('gives what came before the call failed, then the error, to everyone who asks', async () => {
    const source = new FakeSource(messagesOf(batches.slice(0, 1)));
    source.error = new FlightDataError('no');
    const reader = createStreamReader(source);
    assert.equal(show(await reader.readNext()), '3 batch 0');
    await assert.rejects(reader.readNext(), source.error);
    await assert.rejects(reader.readNext(), source.error);
    await assert.rejects(reader.raw().next(), source.error);
    assert.equal(source.isCancelled, false);
  });

  it('fails and cancels the call when a message cannot be decoded', async () => {
    const [schema] = messagesOf(batches);
    assert.ok(schema !== undefined);
    const source = new FakeSource([schema, { ...schema, dataHeader: Uint8Array.of(1, 2, 3) }]);
    const reader = createStreamReader(source);
    await assert.rejects(reader.readNext(), FlightDataError);
    assert.equal(source.isCancelled, true);
    await assert.rejects(reader.readNext(), FlightDataError);
  });

  it('says that there is no schema when the stream ends without one', async () => {
    const reader = createStreamReader(new FakeSource([metadata('only')]));
    await assert.rejects(reader.schema, /the stream ended without a schema/);
    assert.equal(show(await reader.readNext()), '- only');
    assert.equal(await reader.readNext(), undefined);
  });

  it('does not gather metadata without end while the schema is waited for', async () => {
    const megabyte = metadata('x'.repeat(1024 * 1024));
    const source = new FakeSource(Array.from({ length: 40 }, () => megabyte));
    await assert.rejects(createStreamReader(source).schema, FlightResourceExhaustedError);
    assert.equal(source.isCancelled, true);
  });

  it('cancels when it is disposed of', async () => {
    const source = new FakeSource(messagesOf(batches));
    await createStreamReader(source)[Symbol.asyncDispose]();
    assert.equal(source.isCancelled, true);
  });
});
