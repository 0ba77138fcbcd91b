import { type ArrowField, IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';

/** Whether two schemas have the same columns: names, types and dictionaries; metadata and nullability do not count. */
export function sameColumns(a: Uint8Array, b: Uint8Array): boolean {
  if (Buffer.compare(a, b) === 0) return true;
  return shapeOf(a) === shapeOf(b);
}

function shapeOf(header: Uint8Array): string {
  const decoded = decodeMessageHeader(header);
  return decoded.kind === 'schema' ? JSON.stringify(decoded.schema.fields.map(shape)) : '';
}

function shape({ children, dictionary, name, type }: ArrowField): unknown {
  return [name, type, dictionary === undefined ? null : [dictionary.indexType], children.map(shape)];
}

/** Columns that errors show. */
const mostShown = 8;

/** The columns of a schema, for people: `a Int64, b Utf8`. */
export function columnsText(header: Uint8Array): string {
  const decoder = new IpcDecoder();
  decoder.decode(decodeMessageHeader(header), new Uint8Array(0));
  const fields = decoder.schema?.fields ?? [];
  const shown = fields.slice(0, mostShown).map(({ name, type }) => `${name} ${String(type)}`);
  if (fields.length > mostShown) shown.push(`${fields.length - mostShown} more`);
  return shown.length === 0 ? 'no columns' : shown.join(', ');
}
