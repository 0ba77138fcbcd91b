import { FlightInvalidArgumentError, FlightUnimplementedError } from '@peregrine/flight/errors';
import type { EngineConnection } from '../../engine/types.ts';
import type { HttpContext } from '../context.ts';
import type { HttpFormat } from '../formats.ts';
import { insertArrowFile, insertArrowStream } from './arrow.ts';
import { insertText } from './text.ts';

/** Where rows go. */
export interface InsertTarget {
  /** Name of the table, with catalog and schema before it where they were given. */
  readonly table: readonly string[];
  /** The columns that the data has; undefined: those of the table. */
  readonly columns: readonly string[] | undefined;
  /** `append` needs the table, `create` makes it and fails if it is there, `replace` makes it anew. */
  readonly mode: InsertMode;
}

/** What an insert does with the table. */
export type InsertMode = 'append' | 'create' | 'replace';

/**
 * Inserts rows, all or nothing.
 *
 * @param source - the bytes in the format
 * @returns rows inserted; -1n where the engine does not tell
 * @throws FlightInvalidArgumentError and FlightDataError for data that does not fit, NOT_FOUND for a missing table
 */
export async function insertRows(
  context: HttpContext,
  connection: EngineConnection,
  target: InsertTarget,
  format: HttpFormat,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<bigint> {
  if (target.table.length > 3) {
    throw new FlightInvalidArgumentError('a table is named by up to three parts: catalog, schema, table');
  }
  switch (format.name) {
    case 'arrow':
      return insertArrowStream(connection, target, source, signal);
    case 'arrow-file':
      return insertArrowFile(context, connection, target, source, signal);
    case 'markdown':
      throw new FlightUnimplementedError('Markdown is for reading; insert CSV or JSON');
    default:
      if (context.engine.info.dialect !== 'duckdb') {
        throw new FlightUnimplementedError(
          `${context.engine.info.vendor} reads no ${format.clickHouse[0]}; insert FORMAT ArrowStream`,
        );
      }
      return insertText(context, connection, target, format.name, source, signal);
  }
}
