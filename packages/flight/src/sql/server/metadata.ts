/** DoGet of the metadata commands: whatever the application gives, in the format's schema. */

import { isArrowRecordBatch, isArrowTable, type RecordBatch, type Schema, type Table } from 'apache-arrow';
import { FlightInternalError } from '../../errors.ts';
import { encodeSchemaEncapsulated } from '../../ipc/encode/schema.ts';
import { bytesEqual } from '../../model/bytes.ts';
import { forEachOf } from '../../server/many.ts';
import type { DoGetResult, ServerCallContext } from '../../server/index.ts';
import { RecordBatchStream } from '../../stream/record-batch-stream.ts';
import type { FlightDataStream } from '../../stream/types.ts';
import type { SqlMetadataCommand } from '../commands/types.ts';
import { createSqlInfo } from '../info/sql-info.ts';
import {
  createCatalogs,
  createCrossReference,
  createDbSchemas,
  createExportedKeys,
  createImportedKeys,
  createPrimaryKeys,
  createTables,
  createTableTypes,
  createXdbcTypeInfo,
} from '../metadata/result-sets.ts';
import { metadataSchema } from '../schemas.ts';
import { notServed, wanted } from './refusals.ts';
import type { FlightSqlHandlers, MetadataAnswer } from './types.ts';

const handlerNames = {
  CommandGetSqlInfo: 'getSqlInfo',
  CommandGetXdbcTypeInfo: 'getXdbcTypeInfo',
  CommandGetCatalogs: 'getCatalogs',
  CommandGetDbSchemas: 'getDbSchemas',
  CommandGetTables: 'getTables',
  CommandGetTableTypes: 'getTableTypes',
  CommandGetPrimaryKeys: 'getPrimaryKeys',
  CommandGetExportedKeys: 'getExportedKeys',
  CommandGetImportedKeys: 'getImportedKeys',
  CommandGetCrossReference: 'getCrossReference',
} as const satisfies Readonly<Record<SqlMetadataCommand['kind'], keyof FlightSqlHandlers>>;

/**
 * The schema of a metadata command's answer.
 *
 * @throws FlightUnimplementedError when the application does not serve it
 */
export function servedMetadataSchema(sql: FlightSqlHandlers, command: SqlMetadataCommand): Schema {
  if (sql[handlerNames[command.kind]] === undefined) throw notServed(command.kind);
  return metadataSchema(command);
}

/**
 * The answer to a metadata command.
 *
 * @throws FlightUnimplementedError when the application does not serve it
 * @throws FlightInternalError when it gives data with another schema than the format's
 */
export async function getMetadata(
  sql: FlightSqlHandlers,
  command: SqlMetadataCommand,
  context: ServerCallContext,
): Promise<DoGetResult> {
  const schema = servedMetadataSchema(sql, command);
  switch (command.kind) {
    case 'CommandGetSqlInfo': {
      const answer = wanted(await sql.getSqlInfo?.(command, context), 'the values of SqlInfo');
      return isArrowRecordBatch(answer)
        ? sameSchema(command, schema, answer)
        : streamOf(schema, createSqlInfo(answer, command.info));
    }
    case 'CommandGetXdbcTypeInfo':
      return answerOf(command, context, sql.getXdbcTypeInfo?.(command, context), (rows) =>
        createXdbcTypeInfo(rows, command.dataType),
      );
    case 'CommandGetCatalogs':
      return answerOf(command, context, sql.getCatalogs?.(command, context), createCatalogs);
    case 'CommandGetDbSchemas':
      return answerOf(command, context, sql.getDbSchemas?.(command, context), createDbSchemas);
    case 'CommandGetTables':
      return answerOf(command, context, sql.getTables?.(command, context), (rows) =>
        createTables(rows, command.includeSchema),
      );
    case 'CommandGetTableTypes':
      return answerOf(command, context, sql.getTableTypes?.(command, context), createTableTypes);
    case 'CommandGetPrimaryKeys':
      return answerOf(command, context, sql.getPrimaryKeys?.(command, context), createPrimaryKeys);
    case 'CommandGetExportedKeys':
      return answerOf(command, context, sql.getExportedKeys?.(command, context), createExportedKeys);
    case 'CommandGetImportedKeys':
      return answerOf(command, context, sql.getImportedKeys?.(command, context), createImportedKeys);
    case 'CommandGetCrossReference':
      return answerOf(command, context, sql.getCrossReference?.(command, context), createCrossReference);
  }
}

async function answerOf<Row>(
  command: SqlMetadataCommand,
  { signal }: ServerCallContext,
  given: MetadataAnswer<Row> | undefined,
  create: (rows: Row[]) => RecordBatch,
): Promise<DoGetResult> {
  const schema = metadataSchema(command);
  const answer = wanted(await given, 'the rows of the answer');
  if (isData(answer)) return 'sendTo' in answer ? answer : sameSchema(command, schema, answer);
  const rows: Row[] = [];
  // text can be iterated too, but it is one name
  if (isOneRow(answer)) rows.push(answer);
  else await forEachOf(answer, signal, (row) => void rows.push(row));
  return streamOf(schema, create(rows));
}

function isData<Row>(
  answer: Iterable<Row> | AsyncIterable<Row> | Table | RecordBatch | FlightDataStream,
): answer is Table | RecordBatch | FlightDataStream {
  if (typeof answer === 'string') return false;
  return 'sendTo' in answer || isArrowTable(answer) || isArrowRecordBatch(answer);
}

function isOneRow<Row>(answer: Iterable<Row> | AsyncIterable<Row> | Row): answer is Row {
  return typeof answer === 'string';
}

/** Drivers compare the schema that comes with the one that was announced, nullability and names of children included. */
function sameSchema<Data extends Table | RecordBatch>(
  command: SqlMetadataCommand,
  schema: Schema,
  data: Data,
): Data {
  if (!bytesEqual(encodeSchemaEncapsulated(schema), encodeSchemaEncapsulated(data.schema))) {
    throw new FlightInternalError(
      `the answer to ${command.kind} has another schema than the format says: ${String(data.schema)} instead of ${String(schema)}`,
    );
  }
  return data;
}

function streamOf(schema: Schema, batch: RecordBatch): FlightDataStream {
  // readers do without an empty batch
  return new RecordBatchStream(batch.numRows === 0 ? [] : [batch], { schema });
}
