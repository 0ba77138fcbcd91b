// Rows as text
export { batchToCsv, batchToNdjson, batchToText, csvHeader } from './rows.ts';
export { type Cell, CellRecord } from './cell-record.ts';
export { type CellReader, cellReader, cellReaders } from './cell.ts';
export { type JsonStyle, cellToJson, cellToText } from './json.ts';
