import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { FlightError } from '@peregrine/flight';
import {
  DictionaryMemo,
  decodeDictionaryBatch,
  decodeMessageHeader,
  decodeRecordBatch,
  decodeSchema,
  IpcEncoder,
} from '@peregrine/flight/ipc';
import type { Table } from 'apache-arrow';
import type { EngineBatch, EngineInput, EngineResult } from '../../src/engine/types.ts';

/** Reads a result to its end: rows as JSON with bigint as text. */
export async function readRows(result: EngineResult): Promise<unknown[]> {
  const schema = decodeSchema(result.schema);
  const memo = new DictionaryMemo();
  const rows: unknown[] = [];
  for await (const batch of result) {
    const header = decodeMessageHeader(batch.header);
    const body = batch.body.slice();
    batch.release();
    if (batch.kind === 'dictionary') decodeDictionaryBatch(schema, header, body, memo);
    else for (const row of decodeRecordBatch(schema, header, body, memo)) rows.push(plain(row.toJSON()));
  }
  return rows;
}

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)),
  );
}

/** Keeps a result's messages, to give them to the engine again. */
export async function readInputs(
  result: EngineResult,
): Promise<{ schema: Uint8Array; batches: EngineInput[] }> {
  const batches: EngineInput[] = [];
  for await (const batch of result) batches.push(kept(batch));
  return { schema: result.schema, batches };
}

function kept(batch: EngineBatch): EngineInput {
  const copy = { header: batch.header.slice(), body: batch.body.slice() };
  batch.release();
  return copy;
}

/** A table of apache-arrow as messages. */
export function encodeTable(table: Table): { schema: Uint8Array; batches: EngineInput[] } {
  const encoder = new IpcEncoder(table.schema);
  const schema = encoder.schema().header;
  const batches = table.batches.flatMap((batch) =>
    encoder.batch(batch).map(({ header, bodyPieces }) => ({ header, body: Buffer.concat(bodyPieces) })),
  );
  return { schema, batches };
}

/** The messages as a stream. */
export async function* stream(batches: readonly EngineInput[], failure?: Error): AsyncIterable<EngineInput> {
  for (const batch of batches) yield await Promise.resolve(batch);
  if (failure !== undefined) throw failure;
}

/** Runs for as long as nobody cancels it. */
export const endless =
  'SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range + b.range = -1';

/** A test of errors: their code and their message. */
export function code(wanted: string, text: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlightError, String(error));
    assert.equal(error.code, wanted, error.message);
    assert.match(error.message, text);
    return true;
  };
}
