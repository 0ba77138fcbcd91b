/** Rounds a byte length or offset up to a multiple of `alignment`, which is a power of two. Safe above 2^31. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** Bytes that are missing to a multiple of `alignment`, which is a power of two. */
export function paddingFor(value: number, alignment: number): number {
  return alignUp(value, alignment) - value;
}
