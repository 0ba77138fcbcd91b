/**
 * What a server says to commands that it does not serve, or that came with the wrong RPC, and of handlers that do not give
 * what they should.
 */

import { FlightInternalError, FlightInvalidArgumentError, FlightUnimplementedError } from '../../errors.ts';
import { describeArgument } from '../../model/bytes.ts';
import type { SqlCommand } from '../commands/types.ts';

/** RPCs that a command may come with. */
const places: Readonly<Record<SqlCommand['kind'], string>> = {
  CommandStatementQuery: 'GetFlightInfo, PollFlightInfo and GetSchema',
  CommandStatementSubstraitPlan: 'GetFlightInfo, PollFlightInfo, GetSchema and DoPut',
  TicketStatementQuery: 'DoGet',
  CommandStatementUpdate: 'DoPut',
  CommandStatementIngest: 'DoPut',
  CommandPreparedStatementQuery: 'GetFlightInfo, PollFlightInfo, GetSchema, DoGet and DoPut',
  CommandPreparedStatementUpdate: 'DoPut',
  CommandGetSqlInfo: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetXdbcTypeInfo: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetCatalogs: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetDbSchemas: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetTables: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetTableTypes: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetPrimaryKeys: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetExportedKeys: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetImportedKeys: 'GetFlightInfo, GetSchema and DoGet',
  CommandGetCrossReference: 'GetFlightInfo, GetSchema and DoGet',
};

/** A command or action that the application has no function for. */
export function notServed(what: string): FlightUnimplementedError {
  return new FlightUnimplementedError(`this server does not serve ${what}`);
}

/** A command that came with an RPC that it does not go with. */
export function wrongRpc(command: SqlCommand, rpc: string): FlightInvalidArgumentError {
  return new FlightInvalidArgumentError(
    `${command.kind} does not go with ${rpc}, but with ${places[command.kind]}`,
  );
}

/** A descriptor or ticket that is not of Flight SQL, where nothing else is served. */
export function notSql(what: string, rpc: string): FlightInvalidArgumentError {
  return new FlightInvalidArgumentError(
    `${what} of ${rpc} is no command of Flight SQL, and this server serves nothing else`,
  );
}

/**
 * What a handler gave. JavaScript does not tell an application that it forgot to return something.
 *
 * @param what - what it should have given, for the error
 * @throws FlightInternalError when it is nothing
 */
export function wanted<T>(given: T | undefined, what: string): T {
  if (given === undefined || given === null) {
    throw new FlightInternalError(`the handler gave ${describeArgument(given)}; it should give ${what}`);
  }
  return given;
}

/**
 * The id that a handler gave to a transaction or a savepoint.
 *
 * @throws FlightInternalError when it is none: clients take one without bytes for no transaction at all
 */
export function wantedId(given: Uint8Array, what: string): Uint8Array {
  if (!(given instanceof Uint8Array) || given.byteLength === 0) {
    throw new FlightInternalError(
      `the handler gave no bytes for the id of ${what}, and nothing can be done in it without`,
    );
  }
  return given;
}

/**
 * The number of changed rows as the wire has it.
 *
 * @throws FlightInternalError when a handler gave something else
 */
export function wantedCount(given: bigint | number): bigint {
  if (typeof given === 'bigint') return given;
  if (!Number.isInteger(given)) {
    throw new FlightInternalError(
      `the handler gave ${describeArgument(given)}; it should give the number of changed rows, -1 where it is not known`,
    );
  }
  return BigInt(given);
}
