import type { ServerCallContext } from '@peregrine/flight';
import { defaultPreparedLifeMs, maxStatementHandles } from '../limits.ts';
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
  /** Replaced with each bind; a statement that runs keeps those that it began with. */
  parameters: BoundParameters | undefined;
}

/** Prepared statements by handle. */
export interface PreparedStatements {
  add(statement: PreparedStatement, context: ServerCallContext): Uint8Array;
  /** @throws FlightNotFoundError when it was closed or forgotten */
  get(handle: Uint8Array, context: ServerCallContext): PreparedStatement;
  /** Does nothing for one that is not there: drivers close twice. */
  remove(handle: Uint8Array, context: ServerCallContext): void;
  close(): void;
}

const utf8 = new TextDecoder();

/** Keeps prepared statements in memory; those that are not used for long are forgotten. */
export function createPreparedStatements(lifeMs: number = defaultPreparedLifeMs): PreparedStatements {
  const registry: Registry<PreparedStatement> = createRegistry({
    noun: 'prepared statement',
    lifeMs,
    sliding: true,
    maxEntries: maxStatementHandles,
  });
  return {
    add: (statement, context) => Buffer.from(registry.add(statement, context.peerIdentity)),
    get: (handle, context) => registry.get(utf8.decode(handle), context.peerIdentity),
    remove: (handle, context) => void registry.remove(utf8.decode(handle), context.peerIdentity),
    close: () => registry.close(),
  };
}
