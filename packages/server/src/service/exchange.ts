import {
  type FlightStreamReader,
  type FlightStreamWriter,
  FlightInvalidArgumentError,
  type ServerCallContext,
} from '@peregrine/flight';
import { IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';
import { readIncoming } from '../sql/parameters.ts';
import type { SqlService } from '../sql/service.ts';

/** How the SQL text of an exchange calls the batches that came with it. */
const inputTable = 'input';

/**
 * Runs a query over batches that the client ships: they are the table `input` of a connection that is there for this
 * call alone. A client that ships nothing gets the answer of the query alone.
 */
export async function exchangeQuery(
  { engine }: SqlService,
  sql: string | undefined,
  reader: FlightStreamReader,
  writer: FlightStreamWriter,
  { signal }: ServerCallContext,
): Promise<void> {
  if (sql === undefined) {
    throw new FlightInvalidArgumentError(
      'an exchange needs SQL text as its command, over the table input, which is what you send',
    );
  }
  const connection = await engine.connect({ signal });
  try {
    const incoming = await readIncoming(reader);
    if (incoming !== undefined) {
      await connection.ingest(
        { table: inputTable, temporary: true, ifMissing: 'create', ifExists: 'replace', signal },
        incoming.schema,
        incoming.batches,
      );
    }
    const result = await connection.query(sql, { signal });
    try {
      const decoder = new IpcDecoder();
      decoder.decode(decodeMessageHeader(result.schema), new Uint8Array(0));
      if (decoder.schema !== undefined) await writer.begin(decoder.schema);
      for await (const batch of result) {
        const data = decoder.decode(decodeMessageHeader(batch.header), batch.body);
        const release = (): void => batch.release();
        // A dictionary stays in use by the batches after it.
        if (data === undefined) continue;
        await writer.writeChunk({ data, appMetadata: undefined, release, [Symbol.dispose]: release });
      }
      await writer.doneWriting();
    } finally {
      await result.close();
    }
  } finally {
    await connection.close();
  }
}
