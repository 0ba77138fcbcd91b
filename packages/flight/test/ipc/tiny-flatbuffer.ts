/*
 * A flatbuffer writer of 60 lines, for headers that no well-behaved library writes. Parts are laid out parents first;
 * a part that is used twice is written once and shared.
 */

/** A part that is referred to. */
export type Part =
  | { readonly table: readonly (Scalar | Part | undefined)[] }
  | { readonly text: string }
  | { readonly refs: readonly Part[] }
  /** A vector of 64-bit integers, or of structs of `perElement` of them. */
  | { readonly longs: readonly (number | bigint)[]; readonly perElement?: number }
  | { readonly ints: readonly number[] };

/** An inline field, by its width. */
export type Scalar =
  | { readonly i8: number }
  | { readonly i16: number }
  | { readonly i32: number }
  | { readonly i64: number | bigint };

/** Writes a flatbuffer with this root table. */
export function flatbuffer(root: Part): Uint8Array {
  const order = parentsFirst(root);
  const positions = new Map<Part, number>();
  let end = 8;
  for (const part of order) {
    if ('table' in part) end += 4 + 2 * part.table.length; // the vtable lies before its table
    end = (end + 7) & ~7;
    positions.set(part, end);
    end += byteLength(part);
  }
  const view = new DataView(new ArrayBuffer((end + 7) & ~7));
  const refer = (at: number, part: Part): void => view.setUint32(at, (positions.get(part) ?? 0) - at, true);
  refer(0, root);
  for (const part of order) write(view, positions.get(part) ?? 0, part, refer);
  return new Uint8Array(view.buffer);
}

function parentsFirst(root: Part): Part[] {
  const done = new Set<Part>();
  const order: Part[] = [];
  const visit = (part: Part): void => {
    if (done.has(part)) return;
    done.add(part);
    if ('refs' in part) part.refs.forEach(visit);
    if ('table' in part)
      for (const field of part.table) if (field !== undefined && !isScalar(field)) visit(field);
    order.push(part);
  };
  visit(root);
  return order.toReversed();
}

function isScalar(field: Scalar | Part): field is Scalar {
  return 'i8' in field || 'i16' in field || 'i32' in field || 'i64' in field;
}

function byteLength(part: Part): number {
  if ('table' in part) return 8 + 8 * part.table.length;
  if ('text' in part) return 4 + Buffer.byteLength(part.text) + 1;
  if ('refs' in part) return 4 + 4 * part.refs.length;
  return 'longs' in part ? 4 + 8 * part.longs.length : 4 + 4 * part.ints.length;
}

function write(view: DataView, at: number, part: Part, refer: (at: number, part: Part) => void): void {
  if ('table' in part) {
    const vtable = at - 4 - 2 * part.table.length;
    view.setInt32(at, at - vtable, true);
    view.setUint16(vtable, 4 + 2 * part.table.length, true);
    view.setUint16(vtable + 2, byteLength(part), true);
    part.table.forEach((field, index) => {
      if (field === undefined) return;
      const offset = 8 + 8 * index;
      view.setUint16(vtable + 4 + 2 * index, offset, true);
      if ('i8' in field) view.setInt8(at + offset, field.i8);
      else if ('i16' in field) view.setInt16(at + offset, field.i16, true);
      else if ('i32' in field) view.setInt32(at + offset, field.i32, true);
      else if ('i64' in field) view.setBigInt64(at + offset, BigInt(field.i64), true);
      else refer(at + offset, field);
    });
  } else if ('text' in part) {
    const bytes = Buffer.from(part.text);
    view.setUint32(at, bytes.byteLength, true);
    new Uint8Array(view.buffer).set(bytes, at + 4);
  } else if ('refs' in part) {
    view.setUint32(at, part.refs.length, true);
    part.refs.forEach((ref, index) => {
      refer(at + 4 + 4 * index, ref);
    });
  } else if ('longs' in part) {
    view.setUint32(at, part.longs.length / (part.perElement ?? 1), true);
    part.longs.forEach((long, index) => {
      view.setBigInt64(at + 4 + 8 * index, BigInt(long), true);
    });
  } else {
    view.setUint32(at, part.ints.length, true);
    part.ints.forEach((int, index) => {
      view.setInt32(at + 4 + 4 * index, int, true);
    });
  }
}

/** A Message around a header table. */
export function message(
  headerType: number,
  header: Part,
  options: { version?: number; bodyLength?: number | bigint } = {},
): Uint8Array {
  return flatbuffer({
    table: [{ i16: options.version ?? 4 }, { i8: headerType }, header, { i64: options.bodyLength ?? 0 }],
  });
}

/** A Schema message of these fields. */
export function schemaMessage(fields: readonly Part[], endianness = 0): Uint8Array {
  return message(1, { table: [{ i16: endianness }, { refs: fields }] });
}

/** A Field. */
export function field(
  name: string,
  type: number,
  parameters: readonly (Scalar | Part | undefined)[] = [],
  children: readonly Part[] = [],
): Part {
  return {
    table: [{ text: name }, { i8: 1 }, { i8: type }, { table: parameters }, undefined, { refs: children }],
  };
}
