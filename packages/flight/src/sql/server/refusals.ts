/** What a server says to commands that it does not serve, or that came with the wrong RPC. */

import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../errors.ts';
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
