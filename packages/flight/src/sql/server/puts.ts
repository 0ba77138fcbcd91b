/**
 * DoPut of a command. An update is answered as soon as it is done, without waiting for the end of the client's stream:
 * Arrow's C++ client reads the answer before it ends its side.
 */

import type { FlightMetadataWriter, ServerCallContext } from '../../server/index.ts';
import type { FlightStreamReader } from '../../stream/types.ts';
import { encodeBindResult, encodeUpdateResult } from '../actions/results.ts';
import type { SqlCommand } from '../commands/types.ts';
import { notServed, wantedCount, wrongRpc } from './refusals.ts';
import type { FlightSqlHandlers } from './types.ts';

/** Serves DoPut of a command. */
export async function doPutSql(
  sql: FlightSqlHandlers,
  command: SqlCommand,
  reader: FlightStreamReader,
  writer: FlightMetadataWriter,
  context: ServerCallContext,
): Promise<void> {
  switch (command.kind) {
    case 'CommandStatementUpdate':
      if (sql.doPutStatementUpdate === undefined) throw notServed(command.kind);
      return answerUpdate(writer, await sql.doPutStatementUpdate(command, context));
    case 'CommandStatementSubstraitPlan':
      if (sql.doPutSubstraitPlanUpdate === undefined) throw notServed(`DoPut of ${command.kind}`);
      return answerUpdate(writer, await sql.doPutSubstraitPlanUpdate(command, context));
    case 'CommandStatementIngest':
      if (sql.doPutStatementIngest === undefined) throw notServed(command.kind);
      return answerUpdate(writer, await sql.doPutStatementIngest(command, reader, context));
    case 'CommandPreparedStatementUpdate':
      if (sql.doPutPreparedStatementUpdate === undefined) throw notServed(command.kind);
      return answerUpdate(writer, await sql.doPutPreparedStatementUpdate(command, reader, context));
    case 'CommandPreparedStatementQuery': {
      if (sql.doPutPreparedStatementQuery === undefined) throw notServed(`DoPut of ${command.kind}`);
      const handle = await sql.doPutPreparedStatementQuery(command, reader, context);
      return writer.write(encodeBindResult(handle ?? command.preparedStatementHandle));
    }
    default:
      throw wrongRpc(command, 'DoPut');
  }
}

function answerUpdate(writer: FlightMetadataWriter, recordCount: bigint | number): Promise<void> {
  return writer.write(encodeUpdateResult(wantedCount(recordCount)));
}
