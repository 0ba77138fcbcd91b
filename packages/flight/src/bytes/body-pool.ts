import { Buffer } from 'node:buffer';
import { env } from 'node:process';
import { FlightResourceExhaustedError } from '../errors.ts';
import { defaultBodyPoolBytes, minPooledBodyBytes } from '../limits/bytes.ts';
import { earlyScavenges } from './early-scavenges.ts';
import { noBytes } from './empty.ts';
import { keepFreedPages } from './freed-pages.ts';

/**
 * Memory of one message body. It belongs to whoever holds it; who knows that it is no longer needed gives it back
 * with {@link Body.release}, so that the next body need not take fresh pages from the system. Who does not know, or
 * does not care, leaves it to the garbage collector.
 */
export interface Body {
  /**
   * The bytes, exactly as many as were asked for; after {@link Body.release} none. They start at a multiple of 64 in
   * their ArrayBuffer, so any typed array can be laid over them. What is in them at first is undefined.
   */
  readonly bytes: Uint8Array;
  /** Gives the memory back: neither `bytes` nor any view of it may be touched afterwards. Further calls do nothing. */
  release(): void;
}

/** Options of {@link BodyPool}. */
export interface BodyPoolOptions {
  /** Bytes of released memory that are kept for later bodies. Default: `defaultBodyPoolBytes` of `limits/`. */
  readonly maxKeptBytes?: number | undefined;
  /**
   * Catches use after release: the memory of a released body is detached, so that every view of it is empty from
   * then on (SharedArrayBuffers cannot be detached; they are filled with 0xDB). Costs some microseconds a body.
   * Default: whether the environment has PEREGRINE_DEBUG_MEMORY=1.
   */
  readonly debug?: boolean | undefined;
  /**
   * Takes SharedArrayBuffers, which other threads can read as well. Their size does not hurry the garbage collector
   * (measured on Node 20 and 24: 1.7 GB of them, all unreachable, and none collected), so release what is not kept.
   * Default: false.
   */
  readonly shared?: boolean | undefined;
}

const scavenges = earlyScavenges();

/** Recycles the memory of bodies. Not for use by several threads; each has its own. */
export class BodyPool {
  readonly #maxKeptBytes: number;
  readonly #debug: boolean;
  readonly #shared: boolean;
  /** Free memory by its size; the sizes used last are at the end. */
  readonly #kept: Map<number, ArrayBufferLike[]> = new Map();
  #keptBytes = 0;

  constructor(options: BodyPoolOptions = {}) {
    this.#maxKeptBytes = options.maxKeptBytes ?? defaultBodyPoolBytes;
    this.#debug = options.debug ?? env['PEREGRINE_DEBUG_MEMORY'] === '1';
    this.#shared = options.shared ?? false;
  }

  /** Bytes of released memory that wait for the next body. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /**
   * Memory for a body.
   *
   * @param byteLength - its exact length
   * @throws FlightResourceExhaustedError when the system has no such piece of memory
   */
  allocate(byteLength: number): Body {
    if (byteLength === 0) return emptyBody;
    const pooled = byteLength >= minPooledBodyBytes && byteLength <= this.#maxKeptBytes;
    const memory = pooled
      ? (this.#take(sizeClass(byteLength)) ?? this.#create(sizeClass(byteLength)))
      : this.#create(byteLength);
    return new PooledBody(memory, byteLength, pooled || this.#debug ? this.#giveBack : undefined);
  }

  /** Drops all memory that is kept. Bodies that are in use are not touched, and the pool can still be used. */
  clear(): void {
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  #create(byteLength: number): ArrayBufferLike {
    try {
      if (this.#shared) return new SharedArrayBuffer(byteLength);
      if (byteLength >= minPooledBodyBytes) {
        keepFreedPages();
        scavenges?.beforeBody(byteLength);
      }
      // a body is filled before anyone sees it, so clearing it first would be a pass over the memory for nothing
      return Buffer.allocUnsafeSlow(byteLength).buffer;
    } catch (cause) {
      throw new FlightResourceExhaustedError(
        `cannot take ${byteLength} bytes of memory for a message body; send smaller batches`,
        { cause },
      );
    }
  }

  #take(size: number): ArrayBufferLike | undefined {
    const list = this.#kept.get(size);
    const memory = list?.pop();
    if (list === undefined || memory === undefined) return undefined;
    this.#keptBytes -= size;
    this.#touch(size, list);
    return memory;
  }

  readonly #giveBack = (memory: ArrayBufferLike): void => {
    const clean = this.#debug ? detach(memory) : memory;
    const size = clean.byteLength;
    if (size < minPooledBodyBytes || size > this.#maxKeptBytes) return;
    const list = this.#kept.get(size) ?? [];
    list.push(clean);
    this.#keptBytes += size;
    this.#touch(size, list);
    this.#evict();
  };

  /** Moves a size to the end, where the ones used last are. */
  #touch(size: number, list: ArrayBufferLike[]): void {
    this.#kept.delete(size);
    this.#kept.set(size, list);
  }

  #evict(): void {
    for (const [size, list] of this.#kept) {
      while (this.#keptBytes > this.#maxKeptBytes && list.pop() !== undefined) this.#keptBytes -= size;
      if (list.length === 0) this.#kept.delete(size);
      if (this.#keptBytes <= this.#maxKeptBytes) return;
    }
  }
}

const emptyBody: Body = { bytes: noBytes, release: () => {} };

class PooledBody implements Body {
  bytes: Uint8Array;
  #giveBack: ((memory: ArrayBufferLike) => void) | undefined;

  constructor(
    memory: ArrayBufferLike,
    byteLength: number,
    giveBack: ((memory: ArrayBufferLike) => void) | undefined,
  ) {
    this.bytes = new Uint8Array(memory, 0, byteLength);
    this.#giveBack = giveBack;
  }

  release(): void {
    const memory = this.bytes.buffer;
    this.bytes = noBytes;
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.(memory);
  }
}

/**
 * Rounds up to 4, 5, 6 or 7 times a power of two. Batches of a stream are rarely of the very same length, so exact
 * sizes would never be found again; this wastes a fifth at most, and of address space only, since pages that are
 * not written are not taken.
 */
function sizeClass(byteLength: number): number {
  const step = 2 ** (Math.floor(Math.log2(byteLength)) - 2);
  return Math.ceil(byteLength / step) * step;
}

/** Moves memory to a new ArrayBuffer: all views of the old one are empty then. */
function detach(memory: ArrayBufferLike): ArrayBufferLike {
  if (!(memory instanceof ArrayBuffer)) {
    new Uint8Array(memory).fill(0xdb);
    return memory;
  }
  // ArrayBuffer.prototype.transfer is there from Node 22 on
  return structuredClone(memory, { transfer: [memory] });
}

let shared: BodyPool | undefined;

/** The pool of this thread that everything uses which is not told another. */
export function defaultBodyPool(): BodyPool {
  shared ??= new BodyPool();
  return shared;
}
