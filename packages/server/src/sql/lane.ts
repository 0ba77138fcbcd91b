import { FlightError } from '@peregrine/flight/errors';
import type { Engine, EngineConnection, EngineResult } from '../engine/types.ts';
import { maxDetachedResultBytes } from '../limits.ts';
import { type OwnedResult, ownResult } from './owned-result.ts';

/** Where statements of a client run: a connection for each of them, or one that they share. */
export interface Lane {
  /** Several statements share its connection, and perhaps a transaction that one of them began. */
  readonly isShared: boolean;
  /** Runs something that is over when its promise is. */
  run<T>(work: (connection: EngineConnection) => Promise<T>): Promise<T>;
  /** Starts a query; whoever asked reads the result to its end or closes it. */
  query(work: (connection: EngineConnection) => Promise<EngineResult>): Promise<EngineResult>;
}

/** Makes a connection as its client wants it: catalog, schema, settings. */
export type ConnectionSetup = (connection: EngineConnection) => Promise<void>;

/** Opens a connection and sets it up; one that cannot be set up is closed. */
export async function openConnection(
  engine: Engine,
  setup: ConnectionSetup | undefined,
): Promise<EngineConnection> {
  const connection = await engine.connect();
  try {
    await setup?.(connection);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** A connection of its own for each statement: they run side by side, in autocommit. */
export function createFreshLane(engine: Engine, setup?: ConnectionSetup): Lane {
  return {
    isShared: false,
    async run(work) {
      const connection = await openConnection(engine, setup);
      try {
        return await work(connection);
      } finally {
        await connection.close();
      }
    },
    async query(work) {
      const connection = await openConnection(engine, setup);
      try {
        return ownResult(await work(connection), () => connection.close(), maxDetachedResultBytes);
      } catch (error) {
        await connection.close();
        throw error;
      }
    },
  };
}

/** One connection that several statements share, one after the other: a transaction, or a session with state. */
export interface PinnedLane extends Lane {
  /** Whether {@link PinnedLane.close} was called. */
  readonly isClosed: boolean;
  /** Cancels what runs, rolls back what is open, frees the connection. Never rejects. */
  close(): Promise<void>;
}

/**
 * Makes a lane of a connection. A result that is still being read when the next statement comes is read into memory,
 * as far as the limit goes: clients open a second statement while they read the first.
 */
export function createPinnedLane(connection: EngineConnection, noun: string): PinnedLane {
  let open: OwnedResult | undefined;
  let isClosed = false;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(async () => {
      if (isClosed) throw new FlightError('ABORTED', `the ${noun} was ended while this statement waited`);
      await open?.detach();
      return work();
    });
    turn = mine.catch(() => undefined);
    return mine;
  }

  return {
    isShared: true,
    run: (work) => inTurn(() => work(connection)),
    query: (work) =>
      inTurn(async () => {
        const result = ownResult(
          await work(connection),
          () => {
            if (open === result) open = undefined;
          },
          maxDetachedResultBytes,
        );
        open = result;
        return result;
      }),
    get isClosed() {
      return isClosed;
    },
    async close() {
      isClosed = true;
      await open?.close();
      await connection.close();
    },
  };
}
