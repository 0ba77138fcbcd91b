import type { FlightStreamReader, FlightStreamWriter, ServerCallContext } from '@peregrine/flight';
import { FlightInvalidArgumentError, FlightServerError } from '@peregrine/flight/errors';
import { IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';
import type { EngineConnection, EngineIngestOptions, EngineInput } from '../engine/types.ts';
import { type IncomingRows, readIncoming } from '../sql/parameters.ts';
import { sameColumns } from '../sql/same-columns.ts';
import type { SqlService } from '../sql/service.ts';
import type { FlightCommand } from './command.ts';

/** How the SQL text of an exchange calls the batches that came with it. */
const inputTable = 'input';

/**
 * Runs a query over batches that the client ships: they are the table `input` of a connection that is there for this
 * call alone. A client that ships nothing gets the answer of the query alone.
 *
 * The query runs when all batches are there, or, with `perBatch`, over each batch as it comes: then its rows go back
 * before the next batch is needed, and neither side has to hold more than one.
 *
 * SQL that is wrong is told as soon as the schema of the batches is there, not after gigabytes of them.
 */
export async function exchangeQuery(
  { clients, engine }: SqlService,
  { perBatch = false, sql }: FlightCommand,
  reader: FlightStreamReader,
  writer: FlightStreamWriter,
  { signal }: ServerCallContext,
): Promise<void> {
  if (sql === undefined) {
    throw new FlightInvalidArgumentError(
      'an exchange needs SQL text as its command, over the table input, which is what you send',
    );
  }
  await clients.makeReady(sql);
  const connection = await engine.connect({ signal });
  const run: Exchange = { connection, sql, signal, writer, sent: undefined };
  try {
    const incoming = await readIncoming(reader);
    if (incoming === undefined) {
      await sendResult(run);
    } else {
      await connection.ingest(inputOptions('replace', signal), incoming.schema, none());
      await (await connection.prepare(sql, { signal })).close();
      if (perBatch) await sendEach(run, incoming);
      else {
        await connection.ingest(inputOptions('append', signal), incoming.schema, incoming.batches);
        await sendResult(run);
      }
    }
    await writer.doneWriting();
  } finally {
    await connection.close();
  }
}

/** What belongs to one exchange. */
interface Exchange {
  readonly connection: EngineConnection;
  readonly sql: string;
  readonly signal: AbortSignal;
  readonly writer: FlightStreamWriter;
  /** The flatbuffer of the schema message that was sent. */
  sent: Uint8Array | undefined;
}

async function sendEach(run: Exchange, { batches, schema }: IncomingRows): Promise<void> {
  /** A dictionary is needed after its memory is the sender's again, by each batch until another takes its place. */
  let dictionaries: { readonly id: number; readonly isDelta: boolean; readonly input: EngineInput }[] = [];
  for await (const message of batches) {
    const header = decodeMessageHeader(message.header);
    if (header.kind === 'dictionary') {
      const { id, isDelta } = header;
      const input = { header: message.header.slice(), body: message.body.slice() };
      if (!isDelta) dictionaries = dictionaries.filter((other) => other.id !== id);
      dictionaries.push({ id, isDelta, input });
      continue;
    }
    const inputs = [...dictionaries.map(({ input }) => input), message];
    await run.connection.ingest(inputOptions('replace', run.signal), schema, each(inputs));
    await sendResult(run);
  }
  // The schema of the answer is told also when no batch came.
  if (run.sent === undefined) await sendResult(run);
}

async function sendResult(run: Exchange): Promise<void> {
  const { connection, signal, sql, writer } = run;
  const result = await connection.query(sql, { signal });
  try {
    const decoder = new IpcDecoder();
    decoder.decode(decodeMessageHeader(result.schema), new Uint8Array(0));
    if (run.sent === undefined) {
      run.sent = result.schema.slice();
      if (decoder.schema !== undefined) await writer.begin(decoder.schema);
    } else if (!sameColumns(run.sent, result.schema)) {
      throw new FlightServerError('the query gives other columns for this batch than for those before it', {
        code: 'FAILED_PRECONDITION',
      });
    }
    for await (const batch of result) {
      const data = decoder.decode(decodeMessageHeader(batch.header), batch.body);
      const release = (): void => batch.release();
      // A dictionary stays in use by the batches after it.
      if (data === undefined) continue;
      try {
        await writer.writeChunk({ data, appMetadata: undefined, release, [Symbol.dispose]: release });
      } catch (error) {
        // Not taken: the client is gone. Released once, whoever does it.
        release();
        throw error;
      }
    }
  } finally {
    await result.close();
  }
}

function inputOptions(ifExists: 'append' | 'replace', signal: AbortSignal): EngineIngestOptions {
  return { table: inputTable, temporary: true, ifMissing: 'create', ifExists, signal };
}

async function* none(): AsyncGenerator<EngineInput, void, undefined> {}

async function* each(inputs: readonly EngineInput[]): AsyncGenerator<EngineInput, void, undefined> {
  yield* inputs;
}
