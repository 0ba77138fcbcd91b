import type { FlightStreamReader } from '@peregrine/flight';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '@peregrine/flight/errors';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import type { EngineInput } from '../engine/types.ts';
import { maxBoundParameterBytes } from '../limits.ts';

/** Parameters as they came: a row for each run of the statement. */
export interface BoundParameters {
  /** The flatbuffer of the IPC schema message. */
  readonly schema: Uint8Array;
  readonly batches: readonly EngineInput[];
  readonly rows: number;
  /** What they keep in memory. */
  readonly bytes: number;
}

/**
 * Reads the parameters of a statement. A client that has none may send a stream without a schema, or with a schema
 * without columns, or nothing at all and wait for the answer.
 *
 * @returns undefined where there are none
 * @throws FlightResourceExhaustedError above the limit
 */
export async function readParameters(reader: FlightStreamReader): Promise<BoundParameters | undefined> {
  let schema: Uint8Array | undefined;
  const batches: EngineInput[] = [];
  let rows = 0;
  let bytes = 0;
  for await (const { dataHeader, dataBody } of reader.raw()) {
    if (dataHeader.length === 0) continue;
    const header = decodeMessageHeader(dataHeader);
    if (header.kind === 'schema') {
      schema = dataHeader;
      continue;
    }
    bytes += dataHeader.length + dataBody.length;
    if (bytes > maxBoundParameterBytes) {
      throw new FlightResourceExhaustedError(
        `the parameters take more than the ${maxBoundParameterBytes} bytes that one statement may have; use bulk ingest`,
      );
    }
    if (header.kind === 'batch') rows += header.length;
    batches.push({ header: dataHeader, body: dataBody });
  }
  return schema === undefined || rows === 0 ? undefined : { schema, batches, rows, bytes };
}

/** The stream of a bulk ingest: its schema, and the batches while they come. */
export interface IncomingRows {
  readonly schema: Uint8Array;
  readonly batches: AsyncIterable<EngineInput>;
}

/**
 * Reads a stream up to its schema.
 *
 * @returns undefined for a stream without one
 */
export async function readIncoming(
  reader: FlightStreamReader,
  onBatch?: (rows: number) => Promise<void> | void,
): Promise<IncomingRows | undefined> {
  const messages = reader.raw();
  for (;;) {
    const { done, value } = await messages.next();
    if (done === true) return undefined;
    if (value.dataHeader.length === 0) continue;
    return { schema: value.dataHeader, batches: restOf(messages, onBatch) };
  }
}

/**
 * Reads the stream of a table up to its schema.
 *
 * @throws FlightInvalidArgumentError for a stream without one
 */
export async function readTableRows(
  table: string,
  reader: FlightStreamReader,
  onBatch?: (rows: number) => Promise<void> | void,
): Promise<IncomingRows> {
  const incoming = await readIncoming(reader, onBatch);
  if (incoming !== undefined) return incoming;
  throw new FlightInvalidArgumentError(
    `the stream for ${table} ended before its schema; send the schema also when there are no rows`,
  );
}

async function* restOf(
  messages: ReturnType<FlightStreamReader['raw']>,
  onBatch: ((rows: number) => Promise<void> | void) | undefined,
): AsyncGenerator<EngineInput> {
  for await (const { dataHeader, dataBody } of messages) {
    if (dataHeader.length === 0) continue;
    yield { header: dataHeader, body: dataBody };
    if (onBatch === undefined) continue;
    const header = decodeMessageHeader(dataHeader);
    if (header.kind === 'batch') await onBatch(header.length);
  }
}
