import { FlightDataError, FlightResourceExhaustedError } from '@peregrine/flight/errors';
import { type IpcMessage, ipcStreamMessages } from '@peregrine/flight/ipc';
import { readMessageIndex } from '../../datasets/message-index.ts';
import { openFileRange } from '../../datasets/range-source.ts';
import { readMessages } from '../../datasets/read-messages.ts';
import type { EngineConnection, EngineIngestOptions, EngineInput } from '../../engine/types.ts';
import type { HttpContext } from '../context.ts';
import { withStatus } from '../problem.ts';
import type { InsertTarget } from './insert.ts';
import { spool } from './spool.ts';
import { quoteIdentifier, quotePath } from '../../engine/sql-text.ts';

/** Hands the messages of an Arrow IPC stream to the engine while they come. */
export async function insertArrowStream(
  connection: EngineConnection,
  target: InsertTarget,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<bigint> {
  const messages = tooLargeAs413(ipcStreamMessages(source));
  const first = await messages.next();
  if (first.done === true || first.value.message.kind !== 'schema') {
    throw new FlightDataError('the body is no Arrow IPC stream: it does not begin with a schema');
  }
  return ingest(connection, target, first.value.header, withoutSchemas(messages), signal);
}

/** A limit of the format that is passed has to do with the body, not with how busy the server is. */
async function* tooLargeAs413(
  messages: AsyncGenerator<IpcMessage, void, void>,
): AsyncGenerator<IpcMessage, void, void> {
  try {
    yield* messages;
  } catch (error) {
    throw error instanceof FlightResourceExhaustedError ? withStatus(error, 413) : error;
  }
}

async function* withoutSchemas(
  messages: AsyncGenerator<IpcMessage, void, void>,
): AsyncGenerator<EngineInput, void, void> {
  for await (const { header, message, body } of messages) {
    if (message.kind === 'schema') throw new FlightDataError('the stream has a second schema');
    yield { header, body };
  }
}

/** Hands the messages of an Arrow IPC file to the engine. Its dictionaries may stand behind its batches: it is spooled. */
export async function insertArrowFile(
  context: HttpContext,
  connection: EngineConnection,
  target: InsertTarget,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<bigint> {
  await using spooled = await spool(context, source, '.arrow');
  const file = await openFileRange(spooled.path, 'the Arrow file sent');
  try {
    const index = await readMessageIndex(file, 'the Arrow file sent');
    return await ingest(connection, target, index.schemaHeader, readMessages(file, index), signal);
  } finally {
    await file.close();
  }
}

/** Appends by position; named columns go by a table on the way, whose rows are then selected into them. */
async function ingest(
  connection: EngineConnection,
  target: InsertTarget,
  schema: Uint8Array,
  inputs: AsyncIterable<EngineInput>,
  signal: AbortSignal,
): Promise<bigint> {
  const [table = '', parent, catalog] = target.table.toReversed();
  if (target.columns === undefined) {
    const options: EngineIngestOptions = { table, schema: parent, catalog, signal, ...modeOf(target) };
    return connection.ingest(options, schema, inputs);
  }
  const stage = 'peregrine_insert';
  await connection.begin();
  try {
    await connection.ingest(
      { table: stage, temporary: true, ifMissing: 'create', ifExists: 'replace', signal },
      schema,
      inputs,
    );
    const columns = target.columns.map((column) => quoteIdentifier(column)).join(', ');
    const rows = await connection.execute(
      `INSERT INTO ${quotePath(...target.table)} (${columns}) SELECT * FROM temp.${stage}`,
      { signal },
    );
    await connection.execute(`DROP TABLE temp.${stage}`);
    await connection.commit();
    return rows;
  } catch (error) {
    await connection.rollback().catch(() => undefined);
    throw error;
  }
}

function modeOf({ mode }: InsertTarget): Pick<EngineIngestOptions, 'ifExists' | 'ifMissing'> {
  switch (mode) {
    case 'append':
      return { ifMissing: 'fail', ifExists: 'append' };
    case 'create':
      return { ifMissing: 'create', ifExists: 'fail' };
    case 'replace':
      return { ifMissing: 'create', ifExists: 'replace' };
  }
}
