/**
 * Sessions: options and state that belong to a client over many calls. They sit behind a small interface, so that
 * several server processes can share them.
 */

import { randomBytes } from 'node:crypto';
import { callListener, reportServerError } from '../../diagnostics.ts';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../../errors.ts';
import { defaultMaxSessions, defaultSessionIdleMs, maxSessionOptions } from '../../limits/server.ts';
import type { SessionOptionValue } from '../../model/index.ts';

/** The state of one client over many calls. */
export interface ServerSession {
  /** What the cookie carries: not to be guessed, and not to be shown to others. */
  readonly id: string;
  /** Who created it; another identity cannot use it. Empty: created before anyone logged in. */
  readonly identity: string;
  /** The options, by name. */
  readonly options: ReadonlyMap<string, SessionOptionValue>;
  /** Anything the application wants to keep with the session, such as an open transaction. Does not leave the process. */
  readonly state: Map<string, unknown>;
  /** Sets an option. Throws FlightResourceExhaustedError above the limit of options. */
  setOption(name: string, value: SessionOptionValue): void | Promise<void>;
  /** Removes an option; does nothing when it is not set. */
  removeOption(name: string): void | Promise<void>;
  /** Registers what to do when the session is closed or forgotten, such as rolling a transaction back. */
  onEnd(listener: () => void): void;
}

/** Where sessions live. Everything may be asynchronous, so that it can be another process. */
export interface SessionStore {
  /** Makes a session for an identity. Throws FlightResourceExhaustedError when there are too many. */
  create(identity: string): ServerSession | Promise<ServerSession>;
  /** The session of an id, and marks it as used; `undefined` when it is unknown, closed or expired. */
  get(id: string): ServerSession | undefined | Promise<ServerSession | undefined>;
  /**
   * Keeps a session from expiring, as while a call runs that uses it, until the function that is returned is called; that
   * is a use too. Default: sessions expire also while calls of theirs run.
   */
  hold?(id: string): () => void;
  /** Ends a session. Returns whether there was one. */
  close(id: string): boolean | Promise<boolean>;
  /** Ends all, when the server ends. */
  closeAll(): void | Promise<void>;
}

/** Options of {@link createMemorySessionStore}. */
export interface MemorySessionStoreOptions {
  /** A session unused for this long is forgotten, in milliseconds. Default: one hour. */
  readonly idleMs?: number | undefined;
  /** Sessions at once; forgotten ones are dropped first, then creating fails. Default: 100,000. */
  readonly maxSessions?: number | undefined;
  /** What idle times are counted by, for tests, in milliseconds. Default: `performance.now`, which nobody sets. */
  readonly now?: (() => number) | undefined;
}

/** How often expired sessions are looked for when no call comes. */
const maxSweepIntervalMs = 60_000;

/** Sessions in the memory of this process. */
export function createMemorySessionStore(options: MemorySessionStoreOptions = {}): SessionStore {
  const idleMs = options.idleMs ?? defaultSessionIdleMs;
  const maxSessions = options.maxSessions ?? defaultMaxSessions;
  if (!(idleMs > 0) || !(maxSessions > 0)) {
    throw new FlightInvalidArgumentError(
      `idleMs and maxSessions must be above 0, got ${idleMs} and ${maxSessions}`,
    );
  }
  const now = options.now ?? (() => performance.now());
  // in the order of last use, oldest first: that is what Map keeps when an entry is deleted and set again
  const sessions = new Map<string, MemoryEntry>();
  const dropExpired = (time: number): void => {
    for (const [id, entry] of sessions) {
      if (time - entry.usedAt < idleMs) return;
      if (entry.holds > 0) continue;
      sessions.delete(id);
      entry.session.end();
    }
  };
  const markUsed = (id: string, entry: MemoryEntry, time: number): void => {
    entry.usedAt = time;
    sessions.delete(id);
    sessions.set(id, entry);
  };
  // what sessions hold is freed also when no call comes any more
  let sweep: NodeJS.Timeout | undefined;
  const scheduleSweep = (): void => {
    if (sweep !== undefined || sessions.size === 0) return;
    sweep = setTimeout(
      () => {
        sweep = undefined;
        dropExpired(now());
        scheduleSweep();
      },
      Math.min(idleMs, maxSweepIntervalMs),
    );
    sweep.unref();
  };
  return {
    create(identity) {
      const time = now();
      dropExpired(time);
      if (sessions.size >= maxSessions) {
        throw new FlightResourceExhaustedError(
          `${sessions.size} sessions are open and the limit is ${maxSessions}; close some, or raise maxSessions`,
        );
      }
      const session = new MemorySession(randomBytes(24).toString('base64url'), identity);
      sessions.set(session.id, { session, usedAt: time, holds: 0 });
      scheduleSweep();
      return session;
    },
    get(id) {
      const time = now();
      dropExpired(time);
      const entry = sessions.get(id);
      if (entry === undefined) return undefined;
      markUsed(id, entry, time);
      return entry.session;
    },
    hold(id) {
      const entry = sessions.get(id);
      if (entry === undefined) return () => undefined;
      entry.holds += 1;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        entry.holds -= 1;
        if (sessions.get(id) === entry) markUsed(id, entry, now());
      };
    },
    close(id) {
      const entry = sessions.get(id);
      if (entry === undefined) return false;
      sessions.delete(id);
      entry.session.end();
      return true;
    },
    closeAll() {
      clearTimeout(sweep);
      sweep = undefined;
      for (const { session } of sessions.values()) session.end();
      sessions.clear();
    },
  };
}

interface MemoryEntry {
  readonly session: MemorySession;
  usedAt: number;
  /** Calls that use it now. */
  holds: number;
}

class MemorySession implements ServerSession {
  readonly id: string;
  readonly identity: string;
  readonly state: Map<string, unknown> = new Map();
  readonly #options = new Map<string, SessionOptionValue>();
  #listeners: (() => void)[] = [];

  constructor(id: string, identity: string) {
    this.id = id;
    this.identity = identity;
  }

  get options(): ReadonlyMap<string, SessionOptionValue> {
    return this.#options;
  }

  setOption(name: string, value: SessionOptionValue): void {
    if (!this.#options.has(name) && this.#options.size >= maxSessionOptions) {
      throw new FlightResourceExhaustedError(
        `the session has ${this.#options.size} options and the limit is ${maxSessionOptions}`,
      );
    }
    this.#options.set(name, value);
  }

  removeOption(name: string): void {
    this.#options.delete(name);
  }

  onEnd(listener: () => void): void {
    this.#listeners.push(listener);
  }

  end(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    // one listener that throws must not keep the others from freeing what they hold
    for (const listener of listeners) {
      callListener(reportServerError, 'session end', listener);
    }
    this.state.clear();
  }
}
