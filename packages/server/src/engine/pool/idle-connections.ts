/** A connection that nobody uses, as it was when it was opened. */
export interface IdleConnection {
  /** Its handle. */
  readonly address: number;
  /** What DuckDB's `streaming_buffer_size` is set to. */
  readonly bufferBytes: number;
  /** {@link IdleConnections.generation} at the time when it was opened. */
  readonly generation: number;
}

/**
 * Connections that wait to be used again, so that a short query does not open one. No state may pass from one user to
 * the next: only connections are kept that ran nothing but {@link leavesNothing | plain statements} without an error, and
 * none that is older than a statement that may have changed what new connections begin with.
 */
export interface IdleConnections {
  /** Counts statements that are more than plain. */
  readonly generation: number;
  /** The one that was used last; undefined when there is none. */
  take(): IdleConnection | undefined;
  /** Keeps one. False: its owner has to close it. */
  give(connection: IdleConnection): boolean;
  /** Told of each text before it runs, on whichever connection. */
  note(sql: string): void;
  /** Keeps connections from now on. */
  start(): void;
  /** Gives out all that wait, to be closed, and keeps no more. */
  stop(): readonly IdleConnection[];
}

/** Connections that wait at most: more than run at once by default are of no use. */
const mostIdle = 16;

/** @param close - closes one that is of no more use */
export function createIdleConnections(close: (connection: IdleConnection) => void): IdleConnections {
  let idle: IdleConnection[] = [];
  let generation = 0;
  let isTaking = false;
  let isSafe = true;

  function drop(): readonly IdleConnection[] {
    const dropped = idle;
    idle = [];
    return dropped;
  }

  return {
    get generation() {
      return generation;
    },
    take: () => idle.pop(),
    give(connection) {
      if (!isTaking || !isSafe || idle.length >= mostIdle || connection.generation !== generation) {
        return false;
      }
      idle.push(connection);
      return true;
    },
    note(sql) {
      // A view or macro can call such a function later, under any name.
      if (isSafe && stateful.test(sql)) isSafe = false;
      if (leavesNothing(sql)) return;
      generation++;
      for (const connection of drop()) close(connection);
    },
    start() {
      isTaking = true;
    },
    stop() {
      isTaking = false;
      return drop();
    },
  };
}

/**
 * Names of functions that change their connection though a query calls them, ways to write a name that this does not
 * see, and ATTACH, which may bring views that call them.
 */
const stateful = /setseed|_profil|u&"|serialized_sql|\battach\b/i;

/** One statement: a semicolon inside of a text is taken for a second one, which costs a connection and nothing else. */
const plain =
  /^[\s(]*(?:select|from|with|values|table|insert|update|delete|show|describe|summarize)\b[^;]*;?\s*$/i;

/**
 * Whether a text is one statement that leaves nothing in its connection. PIVOT leaves a type; texts that are not known
 * to be plain are not.
 */
export function leavesNothing(sql: string): boolean {
  return plain.test(sql) && !/\bpivot/i.test(sql) && !stateful.test(sql);
}

/** Fails when what is stored in a database calls the functions that {@link IdleConnections.note} looks for. */
export const checkStored: string =
  "SELECT error('found') FROM (SELECT sql FROM duckdb_views() WHERE NOT internal " +
  'UNION ALL SELECT macro_definition FROM duckdb_functions() WHERE NOT internal) AS stored(sql) ' +
  "WHERE regexp_matches(sql, 'sets[e]ed|_profi[l]|serialized_sq[l]', 'i')";
