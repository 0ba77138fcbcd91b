import { type Address, allocate, free, readPointer, writeLong } from './native.ts';

/*
 * Native blocks that are freed together, the newest first. The chain is in native memory itself, so that any thread can
 * go on with it:
 *
 * block := address of the next older block (8 bytes), then what was asked for
 */
const prefixBytes = 8;

/** Blocks that hang on a place in native memory. */
export interface Chain {
  /** Takes a block, all zero. */
  allocate(bytes: number): Address;
  /** Blocks that were taken by this object. */
  readonly taken: number;
  /** Frees all but the newest. */
  freeOlder(keep: number): void;
}

/** The chain that hangs on a place: a pointer, 0 when there is none yet. */
export function chainAt(place: Address): Chain {
  let taken = 0;
  return {
    allocate(bytes) {
      const address = allocate(prefixBytes + bytes) + prefixBytes;
      writeLong(address - prefixBytes, readPointer(place));
      writeLong(place, address);
      taken++;
      return address;
    },
    get taken() {
      return taken;
    },
    freeOlder(keep) {
      let end = place;
      for (let i = 0; i < keep && readPointer(end) !== 0; i++) end = readPointer(end) - prefixBytes;
      let address = readPointer(end);
      if (address === 0) return;
      writeLong(end, 0);
      while (address !== 0) {
        const next = readPointer(address - prefixBytes);
        free(address - prefixBytes);
        address = next;
      }
    },
  };
}
