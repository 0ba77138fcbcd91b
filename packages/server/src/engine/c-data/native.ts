import { Buffer } from 'node:buffer';
import koffi from 'koffi';

/*
 * Native memory by address. This folder and `adbc/` are the only places that touch addresses; they run in worker
 * threads alone. Addresses are numbers: user space ends below 2^48, so they are exact.
 */

/** An address in the process; 0 is NULL. */
export type Address = number;

/** What native functions take: numbers, addresses, texts and memory of JavaScript. */
export type NativeArgument = number | bigint | string | Uint8Array | null;

/** A native function that gives a number or nothing. */
export type NativeFunction = (...values: NativeArgument[]) => number;

/** The C type of addresses. */
export const pointer = 'uintptr_t';

// Windows has its C library apart; elsewhere it is part of what the process has loaded anyway.
const c = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
const calloc: NativeFunction = c.func('calloc', pointer, ['size_t', 'size_t']);
const release: NativeFunction = c.func('free', 'void', [pointer]);
const copyIn: NativeFunction = c.func('memcpy', pointer, [pointer, 'void *', 'size_t']);
const copyOut: NativeFunction = c.func('memcpy', pointer, ['void *', pointer, 'size_t']);
const length: NativeFunction = c.func('strlen', 'size_t', [pointer]);

if (process.platform === 'linux') limitHeaps();

/**
 * Has glibc give memory of 4 MiB and more, which is that of batches, back to the system when it is freed. By itself it
 * takes such blocks from the heaps of threads as soon as the first of them was freed: under load these grew to twice of
 * what was used.
 *
 * Once that is set, a heap gives back whatever is free at its end above 128 KiB, and what DuckDB takes and frees for each
 * statement comes from the system anew each time, page by page: half of the time that views of 2,000 CSV files took.
 */
function limitHeaps(): void {
  // M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h
  const [mapFrom, keepAtEnd] = [-3, -1];
  try {
    const mallopt: NativeFunction = c.func('mallopt', 'int', ['int', 'int']);
    mallopt(mapFrom, 4 * 1024 * 1024);
    mallopt(keepAtEnd, 8 * 1024 * 1024);
  } catch {
    // Other C libraries have no such setting.
  }
}

/**
 * Gives pages that nothing lies on back to the system, of the heaps of all threads: glibc does so by itself at the end of
 * a heap only. Takes some milliseconds; nothing where the C library does not have it.
 */
export function giveBackFreeMemory(): void {
  if (process.platform !== 'linux') return;
  try {
    const trim: NativeFunction = c.func('malloc_trim', 'int', ['size_t']);
    trim(0);
  } catch {
    // Other C libraries have no such function.
  }
}

/** Copies bytes between addresses: 0.1 µs a call where a view of native memory costs 2.4 µs. */
export const copy: NativeFunction = c.func('memcpy', pointer, [pointer, pointer, 'size_t']);

let allocations = 0;

/** Native blocks of this thread that are not freed, for tests of leaks. */
export function openAllocations(): number {
  return allocations;
}

/** Takes native memory, all zero. @throws RangeError when there is none */
export function allocate(bytes: number): Address {
  const address = calloc(1, Math.max(bytes, 1));
  if (address === 0) throw new RangeError(`the system has no ${bytes} bytes of memory left`);
  allocations++;
  return address;
}

/** Gives memory of {@link allocate} back. */
export function free(address: Address): void {
  if (address === 0) return;
  allocations--;
  release(address);
}

/** Copies memory of JavaScript to an address. */
export function write(address: Address, bytes: Uint8Array): void {
  if (bytes.byteLength > 0) copyIn(address, bytes, bytes.byteLength);
}

/** Copies native memory. */
export function readBytes(address: Address, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  if (byteLength > 0) copyOut(bytes, address, byteLength);
  return bytes;
}

/** The text at an address, up to its NUL; empty for NULL. */
export function readText(address: Address): string {
  return address === 0 ? '' : Buffer.from(readBytes(address, length(address))).toString('utf8');
}

/** Where memory of JavaScript lies. It does not move; whoever uses the address keeps the memory referenced. */
export function addressOf(bytes: Uint8Array): Address {
  return copyOut(bytes, 0, 0);
}

/** Most bytes that one {@link peek} takes. */
export const windowBytes: number = 64 * 1024;

const memory = new ArrayBuffer(windowBytes);
const bytes8 = new Uint8Array(memory);
const windowAddress = addressOf(bytes8);

/** What the last {@link peek} took, as numbers of several widths. One window a thread: read it before the next peek. */
export const peeked: {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
} = { u8: bytes8, i32: new Int32Array(memory), u32: new Uint32Array(memory) };

/** Copies native memory to the window, to be read there. */
export function peek(address: Address, byteLength: number): void {
  copy(windowAddress, address, byteLength);
}

/** A 64-bit number of the window: lengths and addresses, which are below 2^53, and small negative ones. */
export function peekedLong(index: number): number {
  return (peeked.i32[2 * index + 1] ?? 0) * 0x1_0000_0000 + (peeked.u32[2 * index] ?? 0);
}

/** The pointer at an address. */
export function readPointer(address: Address): Address {
  peek(address, 8);
  return peekedLong(0);
}

/** Writes a pointer or a length. */
export function writeLong(address: Address, value: number): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  write(address, bytes);
}

/** A text with its NUL in native memory; the caller frees it. */
export function allocateText(text: string): Address {
  const bytes = Buffer.from(text, 'utf8');
  const address = allocate(bytes.byteLength + 1);
  write(address, bytes);
  return address;
}

const prototypes = new Map<string, ReturnType<typeof koffi.proto>>();
const functions = new Map<string, NativeFunction>();

/** Makes a function of its address. */
export function functionAt(address: Address, result: string, parameters: readonly string[]): NativeFunction {
  const signature = `${result}(${parameters.join()})`;
  const key = `${address}${signature}`;
  const known = functions.get(key);
  if (known !== undefined) return known;
  // koffi keeps every prototype for ever: one for each signature.
  const prototype = prototypes.get(signature) ?? koffi.proto(result, [...parameters]);
  prototypes.set(signature, prototype);
  const found: NativeFunction = koffi.decode(BigInt(address), prototype);
  functions.set(key, found);
  return found;
}

/** A library of the system's loader. */
export interface NativeLibrary {
  func(name: string, result: string, parameters: readonly string[]): NativeFunction;
  /** A function of one pointer that gives a struct of a double and two 64-bit numbers: the double is given. */
  progressFunction(name: string): (address: Address) => number;
}

let progressStruct: ReturnType<typeof koffi.struct> | undefined;

/** Libraries are unloaded when nothing in JavaScript names them, while their functions run in other threads. */
const loaded: unknown[] = [];

/**
 * Loads a library, which stays as long as the thread.
 *
 * @param isWhole - whether all that it needs from others is known to be there; then the system looks for each function
 *   when it is called, which halves the time to load. Default: all are looked for now
 * @throws an error of the loader where it cannot be loaded
 */
export function loadLibrary(path: string, isWhole = false): NativeLibrary {
  const library = koffi.load(path, { lazy: isWhole });
  loaded.push(library);
  return {
    func(name, result, parameters) {
      const found: NativeFunction = library.func(name, result, [...parameters]);
      return found;
    },
    progressFunction(name) {
      progressStruct ??= koffi.struct({ percentage: 'double', done: 'uint64_t', total: 'uint64_t' });
      const found: (address: Address) => { percentage: number } = library.func(name, progressStruct, [
        pointer,
      ]);
      return (address) => found(address).percentage;
    },
  };
}
