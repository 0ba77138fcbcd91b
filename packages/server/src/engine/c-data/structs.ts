import { type Address, functionAt, peek, peekedLong, pointer } from './native.ts';

/*
 * The Arrow C data and stream interfaces, 64-bit, every member 8 bytes:
 *
 * ArrowSchema      := format* name* metadata* flags n_children children** dictionary* release() private_data*
 * ArrowArray       := length null_count offset n_buffers n_children buffers** children** dictionary* release() private_data*
 * ArrowArrayStream := get_schema() get_next() get_last_error() release() private_data*
 *
 * https://arrow.apache.org/docs/format/CDataInterface.html
 */

/** Bytes of the structs. */
export const structBytes = { schema: 72, array: 80, stream: 40 } as const;

/** An array as its struct says; valid until the array is released. */
export interface CArray {
  readonly length: number;
  /** -1: not counted. */
  readonly nullCount: number;
  readonly offset: number;
  readonly buffers: readonly Address[];
  readonly children: readonly CArray[];
  readonly dictionary: CArray | undefined;
}

/** Reads the pointers of an array of pointers. */
export function readPointers(address: Address, count: number): Address[] {
  const pointers: Address[] = [];
  // The window holds 8,192 pointers: a schema may be wider.
  for (let start = 0; start < count; start += 4096) {
    const part = Math.min(4096, count - start);
    peek(address + 8 * start, 8 * part);
    for (let i = 0; i < part; i++) pointers.push(peekedLong(i));
  }
  return pointers;
}

/** Reads an ArrowArray and what is below it. */
export function readArray(address: Address): CArray {
  peek(address, structBytes.array);
  const arrayLength = peekedLong(0);
  const nullCount = peekedLong(1);
  const offset = peekedLong(2);
  const bufferCount = peekedLong(3);
  const childCount = peekedLong(4);
  const buffers = peekedLong(5);
  const children = peekedLong(6);
  const dictionary = peekedLong(7);
  return {
    length: arrayLength,
    nullCount,
    offset,
    buffers: bufferCount === 0 ? noPointers : readPointers(buffers, bufferCount),
    children: childCount === 0 ? noArrays : readPointers(children, childCount).map(readArray),
    dictionary: dictionary === 0 ? undefined : readArray(dictionary),
  };
}

const noPointers: readonly Address[] = [];
const noArrays: readonly CArray[] = [];

/** Where the release function is in each struct. */
const releasePlaces = { schema: 56, array: 64, stream: 24 } as const;
const releaseParameters = [pointer];

/** Whether the struct holds something: release is not NULL. */
export function isHeld(kind: keyof typeof releasePlaces, address: Address): boolean {
  peek(address + releasePlaces[kind], 8);
  return peekedLong(0) !== 0;
}

/** Releases what the struct holds, if it does. */
export function releaseStruct(kind: keyof typeof releasePlaces, address: Address): void {
  peek(address + releasePlaces[kind], 8);
  const place = peekedLong(0);
  if (place === 0) return;
  functionAt(place, 'void', releaseParameters)(address);
}
