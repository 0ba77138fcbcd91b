import { IpcFileWriter, IpcStreamWriter } from '@peregrine/flight/ipc';
import { batchToCsv, batchToNdjson, batchToText, csvHeader } from '@peregrine/server/formats';
import { DataType, type RecordBatch, type Schema } from 'apache-arrow';
import type { OutputFormat } from './format.ts';
import { formatCount } from './numbers.ts';
import type { OutputSink } from './sink.ts';
import { renderRecords, renderTextTable } from './text-table.ts';

/** Writes batches in one of the formats. */
export interface BatchWriter {
  write(batch: RecordBatch): Promise<void>;
  /** Writes what ends the format. */
  finish(): Promise<void>;
}

/** Rows that a table for people shows before it says how many more there are. */
const tableRows = 40;

/** How a table for people looks; the other formats ask nothing. */
export interface TableLook {
  /** Rows that are shown; how many more there were is told below. Default: 40. */
  readonly rows?: number | undefined;
  /** Columns of the terminal that it is to fit into. Default: as wide as it is. */
  readonly screen?: number | undefined;
  /** Shows each row as a list of its values. Default: false. */
  readonly records?: boolean | undefined;
}

/** Makes the writer of a format. */
export async function createBatchWriter(
  format: OutputFormat,
  schema: Schema,
  sink: OutputSink,
  look: TableLook = {},
): Promise<BatchWriter> {
  switch (format) {
    case 'ndjson':
      return { write: (batch) => sink.write(batchToNdjson(batch)), finish: async () => undefined };
    case 'csv':
      return separated(schema, sink, ',');
    case 'tsv':
      return separated(schema, sink, '\t');
    case 'table':
      return textTable(schema, sink, look);
    case 'arrow':
      return arrow(new IpcStreamWriter(schema), sink);
    case 'arrow-file':
      return arrow(new IpcFileWriter(schema), sink);
  }
}

async function separated(schema: Schema, sink: OutputSink, separator: string): Promise<BatchWriter> {
  await sink.write(csvHeader(schema, separator));
  return { write: (batch) => sink.write(batchToCsv(batch, separator)), finish: async () => undefined };
}

function textTable(
  schema: Schema,
  sink: OutputSink,
  { rows: limit = tableRows, screen, records = false }: TableLook,
): BatchWriter {
  const rows: string[][] = [];
  let seen = 0;
  return {
    async write(batch) {
      seen += batch.numRows;
      if (rows.length < limit) rows.push(...batchToText(batch, limit - rows.length));
    },
    async finish() {
      const numbers = schema.fields.map(({ type }) => {
        return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type);
      });
      const header = schema.fields.map((field) => field.name);
      const more = seen > rows.length ? `… ${formatCount(seen - rows.length)} more rows\n` : '';
      const table = records
        ? renderRecords(header, rows, screen)
        : renderTextTable(header, rows, { rightAligned: numbers, screen });
      await sink.write(table + more);
    },
  };
}

async function arrow(writer: IpcStreamWriter | IpcFileWriter, sink: OutputSink): Promise<BatchWriter> {
  const writeAll = async (pieces: readonly Uint8Array[]): Promise<void> => {
    for (const piece of pieces) await sink.write(piece);
  };
  await writeAll(writer.start());
  return {
    write: (batch) => writeAll(writer.batch(batch)),
    finish: () => writeAll(writer.end()),
  };
}
