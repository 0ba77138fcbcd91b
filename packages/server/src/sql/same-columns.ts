import { type ArrowField, decodeMessageHeader } from '@peregrine/flight/ipc';

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
