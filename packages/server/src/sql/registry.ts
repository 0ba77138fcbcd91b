import { randomBytes } from 'node:crypto';
import { FlightNotFoundError, FlightResourceExhaustedError } from '@peregrine/flight/errors';

/**
 * State that outlives a call, found by a handle: statements, tickets, transactions. Behind one interface, so that it
 * can be shared by several servers later; handles cannot be guessed, and belong to who made them.
 */
export interface Registry<T> {
  /**
   * Keeps a value and gives its handle. Where there is no room, values that were {@link Registry.spend | spent} are
   * forgotten, the oldest first.
   *
   * @throws FlightResourceExhaustedError when that does not help
   */
  add(value: T, owner: string): string;
  /**
   * The value of a handle. Of a sliding registry this makes it live longer.
   *
   * @throws FlightNotFoundError when it is unknown, expired, or somebody else's
   */
  get(handle: string, owner: string): T;
  /** The same, without an error. */
  find(handle: string, owner: string): T | undefined;
  /** Until when the handle lives, as it is now; undefined when it is not there. */
  expiry(handle: string): Date | undefined;
  /** Makes a handle live for one life time from now. */
  renew(handle: string): Date | undefined;
  /**
   * The value did what it is kept for: it lives on, in case that it is wanted again, until it expires or there are too
   * many newer ones of its kind. Does nothing for one that is not there.
   */
  spend(handle: string): void;
  /** Takes a value out without ending it; undefined when it is not there. */
  remove(handle: string, owner: string): T | undefined;
  /**
   * Puts another value in the place of the one that was given. What the old one holds is not ended.
   *
   * @throws FlightNotFoundError as {@link Registry.get}; FlightResourceExhaustedError where there is no room for it, and
   * the old one stays
   */
  replace(handle: string, owner: string, value: T): void;
  /** Ends those that a function picks. */
  dropWhere(predicate: (value: T) => boolean): void;
  readonly size: number;
  /** Ends all. */
  close(): void;
}

/** Options of {@link createRegistry}. */
export interface RegistryOptions<T> {
  /** What the values are, for errors: `prepared statement`. */
  readonly noun: string;
  /** Life time, in milliseconds. */
  readonly lifeMs: number;
  /** Whether use makes a value live longer. */
  readonly sliding: boolean;
  /** Values at once. */
  readonly maxEntries: number;
  /** {@link Registry.spend | Spent} values at once. Default: as many as there may be of all. */
  readonly maxSpent?: number | undefined;
  /** Bytes of all values at once, and how many a value takes. Default: they are not counted. */
  readonly memory?: { readonly maxBytes: number; bytesOf(value: T): number } | undefined;
  /** Told of values that expired or were dropped, to free what they hold. */
  readonly onDrop?: ((value: T) => void) | undefined;
  /** What life times are counted by, in milliseconds. Default: `performance.now`, which nobody sets. */
  readonly now?: (() => number) | undefined;
  /** The clock by which {@link Registry.expiry} is told, in milliseconds. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

interface Entry<T> {
  value: T;
  readonly owner: string;
  bytes: number;
  expiresAt: number;
}

/** Expired values are looked for at least this often, in milliseconds, so that memory is freed when no call comes. */
const longestSweepMs = 30_000;

/** Keeps values in the memory of this process. */
export function createRegistry<T>(options: RegistryOptions<T>): Registry<T> {
  const { noun, lifeMs, sliding, maxEntries, maxSpent = maxEntries, memory, onDrop } = options;
  // A clock that is set would end what is in use, or keep what nobody wants: it is only what expiry is told by.
  const now = options.now ?? (() => performance.now());
  const clock = options.clock ?? Date.now;
  const entries = new Map<string, Entry<T>>();
  /** Handles, in the order in which they were spent. */
  const spent = new Set<string>();
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function dateOf({ expiresAt }: Entry<T>): Date {
    return new Date(Math.round(clock() + expiresAt - now()));
  }

  function takeOut(handle: string, entry: Entry<T>): void {
    entries.delete(handle);
    spent.delete(handle);
    bytes -= entry.bytes;
  }

  function drop(handle: string, entry: Entry<T>): void {
    takeOut(handle, entry);
    onDrop?.(entry.value);
  }

  function dropExpired(): void {
    const time = now();
    for (const [handle, entry] of entries) {
      if (entry.expiresAt <= time) drop(handle, entry);
    }
  }

  function dropOldestSpent(): boolean {
    const [handle] = spent;
    const entry = handle === undefined ? undefined : entries.get(handle);
    if (handle === undefined || entry === undefined) return false;
    drop(handle, entry);
    return true;
  }

  /** @param added - handles that are to be more: one, or none */
  function makeRoom(wanted: number, added: number): void {
    const isFull = (): boolean =>
      entries.size + added > maxEntries || (memory !== undefined && bytes + wanted > memory.maxBytes);
    if (isFull()) dropExpired();
    while (isFull() && dropOldestSpent());
    if (entries.size + added > maxEntries) {
      throw new FlightResourceExhaustedError(
        `${entries.size} handles of a ${noun} are open and the limit is ${maxEntries}; close some first`,
      );
    }
    if (isFull()) {
      throw new FlightResourceExhaustedError(
        `the open handles of a ${noun} take ${bytes} bytes, and ${wanted} more would pass the limit of ` +
          `${memory?.maxBytes}; run and close some first`,
      );
    }
  }

  function schedule(): void {
    if (timer !== undefined || entries.size === 0) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        dropExpired();
        schedule();
      },
      Math.min(lifeMs, longestSweepMs),
    );
    timer.unref();
  }

  function lookUp(handle: string, owner: string): Entry<T> | undefined {
    const entry = entries.get(handle);
    if (entry === undefined || entry.owner !== owner) return undefined;
    if (entry.expiresAt <= now()) {
      drop(handle, entry);
      return undefined;
    }
    if (sliding) entry.expiresAt = now() + lifeMs;
    return entry;
  }

  function demand(handle: string, owner: string): Entry<T> {
    const entry = lookUp(handle, owner);
    if (entry !== undefined) return entry;
    throw new FlightNotFoundError(
      `there is no ${noun} with this handle: it was closed, expired after ${lifeMs / 1000} s, or is not yours`,
    );
  }

  return {
    add(value, owner) {
      const taken = memory?.bytesOf(value) ?? 0;
      makeRoom(taken, 1);
      const handle = randomBytes(18).toString('base64url');
      entries.set(handle, { value, owner, bytes: taken, expiresAt: now() + lifeMs });
      bytes += taken;
      schedule();
      return handle;
    },
    get: (handle, owner) => demand(handle, owner).value,
    find: (handle, owner) => lookUp(handle, owner)?.value,
    expiry(handle) {
      const entry = entries.get(handle);
      return entry === undefined ? undefined : dateOf(entry);
    },
    renew(handle) {
      const entry = entries.get(handle);
      if (entry === undefined || entry.expiresAt <= now()) return undefined;
      entry.expiresAt = now() + lifeMs;
      return dateOf(entry);
    },
    spend(handle) {
      if (!entries.has(handle)) return;
      spent.delete(handle);
      spent.add(handle);
      if (spent.size > maxSpent) dropOldestSpent();
    },
    remove(handle, owner) {
      const entry = lookUp(handle, owner);
      if (entry !== undefined) takeOut(handle, entry);
      return entry?.value;
    },
    replace(handle, owner, value) {
      const taken = memory?.bytesOf(value) ?? 0;
      const before = demand(handle, owner).bytes;
      if (taken > before) makeRoom(taken - before, 0);
      // It may have been forgotten to make room.
      const entry = demand(handle, owner);
      const more = taken - entry.bytes;
      entry.value = value;
      entry.bytes += more;
      bytes += more;
    },
    dropWhere(predicate) {
      for (const [handle, entry] of entries) {
        if (predicate(entry.value)) drop(handle, entry);
      }
    },
    get size() {
      return entries.size;
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      const values = [...entries.values()];
      entries.clear();
      spent.clear();
      bytes = 0;
      for (const { value } of values) onDrop?.(value);
    },
  };
}
