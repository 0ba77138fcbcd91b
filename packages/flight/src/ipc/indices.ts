/** Indices of a dictionary-encoded column, in any of the types that they may have. */
export type DictionaryIndices =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Turns indices into those of another dictionary, in place; rows without a value get 0.
 *
 * @param places - where each value of the old dictionary stands in the new one
 * @param valid - whether a row has a value: what stands in others may be out of range
 */
export function moveIndices(
  indices: DictionaryIndices,
  places: Uint32Array,
  valid: (row: number) => boolean,
): void {
  if (indices instanceof BigInt64Array || indices instanceof BigUint64Array) {
    for (let row = 0; row < indices.length; row++) {
      indices[row] = valid(row) ? BigInt(places[Number(indices[row])] ?? 0) : 0n;
    }
  } else {
    for (let row = 0; row < indices.length; row++) {
      indices[row] = valid(row) ? (places[indices[row] ?? 0] ?? 0) : 0;
    }
  }
}
