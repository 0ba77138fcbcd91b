import type { RecordBatch, Vector } from 'apache-arrow';

/** A value of a vector as a text that tells different values apart. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`;
    if (ArrayBuffer.isView(item)) {
      return Array.from(new Uint8Array(item.buffer, item.byteOffset, item.byteLength));
    }
    return item;
  });
}

/** All values of a column. */
export function valuesOf(vector: Vector | null): string[] {
  return vector === null ? [] : Array.from(vector, (value) => show(value));
}

/** All values of a batch, by column. */
export function batchValues(batch: RecordBatch): Record<string, string[]> {
  return Object.fromEntries(
    batch.schema.fields.map((field, index) => [`${index} ${field.name}`, valuesOf(batch.getChildAt(index))]),
  );
}

/** Joins a gather list. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}
