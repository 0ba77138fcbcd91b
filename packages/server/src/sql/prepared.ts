import type { ServerCallContext } from '@peregrine/flight';
import { defaultPreparedLifeMs, maxPreparedBytes, maxStatementHandles } from '../limits.ts';
import type { BoundParameters } from './parameters.ts';
import { type Registry, createRegistry } from './registry.ts';

/** A prepared statement: its text and what is bound. The engine prepares it again for each run, which takes microseconds. */
export interface PreparedStatement {
  readonly sql: string;
  readonly hasParameters: boolean;
  /** The transaction that it was prepared in. */
  readonly transactionId: Uint8Array | undefined;
  /** Whether it gives plain types: as the client was told of its columns, whatever it sets later. */
  readonly plain: boolean;
  /** The schema of its parameters, where its client was told of another one that has wider integers. */
  readonly narrow: Uint8Array | undefined;
  readonly parameters: BoundParameters | undefined;
}

/** Prepared statements by handle. */
export interface PreparedStatements {
  add(statement: PreparedStatement, context: ServerCallContext): Uint8Array;
  /** @throws FlightNotFoundError when it was closed or forgotten */
  get(handle: Uint8Array, context: ServerCallContext): PreparedStatement;
  /**
   * Binds parameters in the place of those that are bound; what runs keeps those that it began with.
   *
   * @throws FlightNotFoundError as {@link PreparedStatements.get}; FlightResourceExhaustedError when all statements
   * together have no room for them
   */
  bind(handle: Uint8Array, parameters: BoundParameters | undefined, context: ServerCallContext): void;
  /** Does nothing for one that is not there: drivers close twice. */
  remove(handle: Uint8Array, context: ServerCallContext): void;
  close(): void;
}

const utf8 = new TextDecoder();

/** Keeps prepared statements in memory; those that are not used for long are forgotten. */
export function createPreparedStatements(
  lifeMs: number = defaultPreparedLifeMs,
  maxBytes: number = maxPreparedBytes,
): PreparedStatements {
  const registry: Registry<PreparedStatement> = createRegistry({
    noun: 'prepared statement',
    lifeMs,
    sliding: true,
    maxEntries: maxStatementHandles,
    memory: { maxBytes, bytesOf: (statement) => statement.sql.length + (statement.parameters?.bytes ?? 0) },
  });
  return {
    add: (statement, context) => Buffer.from(registry.add(statement, context.peerIdentity)),
    bind(handle, parameters, context) {
      const [id, owner] = [utf8.decode(handle), context.peerIdentity];
      registry.replace(id, owner, { ...registry.get(id, owner), parameters });
    },
    get: (handle, context) => registry.get(utf8.decode(handle), context.peerIdentity),
    remove: (handle, context) => void registry.remove(utf8.decode(handle), context.peerIdentity),
    close: () => registry.close(),
  };
}
