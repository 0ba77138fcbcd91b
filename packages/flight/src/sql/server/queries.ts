/** GetFlightInfo, GetSchema, PollFlightInfo and DoGet of a command. */

import {
  type FlightDescriptor,
  type FlightInfo,
  type PollInfo,
  type SchemaResult,
  Ticket,
} from '../../model/index.ts';
import type { DoGetResult, ServerCallContext } from '../../server/index.ts';
import { isMetadataCommand } from '../schemas.ts';
import type { SqlCommand } from '../commands/types.ts';
import { donePollInfo, metadataInfo, toFlightInfo, toPollInfo, toSchemaResult } from './answers.ts';
import { getMetadata, servedMetadataSchema } from './metadata.ts';
import { notServed, wrongRpc } from './refusals.ts';
import type { FlightSqlHandlers } from './types.ts';

/** Serves GetFlightInfo of a command. */
export async function getSqlFlightInfo(
  sql: FlightSqlHandlers,
  command: SqlCommand,
  context: ServerCallContext,
  descriptor: FlightDescriptor,
): Promise<FlightInfo> {
  switch (command.kind) {
    case 'CommandStatementQuery':
      if (sql.getFlightInfoStatement === undefined) throw notServed(command.kind);
      return toFlightInfo(
        await sql.getFlightInfoStatement(command, context, descriptor),
        descriptor,
        undefined,
      );
    case 'CommandStatementSubstraitPlan':
      if (sql.getFlightInfoSubstraitPlan === undefined) throw notServed(command.kind);
      return toFlightInfo(
        await sql.getFlightInfoSubstraitPlan(command, context, descriptor),
        descriptor,
        undefined,
      );
    case 'CommandPreparedStatementQuery':
      if (sql.getFlightInfoPreparedStatement === undefined) throw notServed(command.kind);
      return toFlightInfo(
        await sql.getFlightInfoPreparedStatement(command, context, descriptor),
        descriptor,
        new Ticket(descriptor.command),
      );
    default:
      if (!isMetadataCommand(command)) throw wrongRpc(command, 'GetFlightInfo');
      return metadataInfo(servedMetadataSchema(sql, command), descriptor);
  }
}

/** Serves PollFlightInfo of a command: what the application does not poll is done at the first call. */
export async function pollSqlFlightInfo(
  sql: FlightSqlHandlers,
  command: SqlCommand,
  context: ServerCallContext,
  descriptor: FlightDescriptor,
): Promise<PollInfo> {
  const ownTicket = new Ticket(descriptor.command);
  switch (command.kind) {
    case 'CommandStatementQuery':
      if (sql.pollFlightInfoStatement === undefined) break;
      return toPollInfo(
        await sql.pollFlightInfoStatement(command, context, descriptor),
        descriptor,
        undefined,
      );
    case 'CommandStatementSubstraitPlan':
      if (sql.pollFlightInfoSubstraitPlan === undefined) break;
      return toPollInfo(
        await sql.pollFlightInfoSubstraitPlan(command, context, descriptor),
        descriptor,
        undefined,
      );
    case 'CommandPreparedStatementQuery':
      if (sql.pollFlightInfoPreparedStatement === undefined) break;
      return toPollInfo(
        await sql.pollFlightInfoPreparedStatement(command, context, descriptor),
        descriptor,
        ownTicket,
      );
    case 'TicketStatementQuery':
      if (sql.pollFlightInfoHandle === undefined) throw notServed('polling by handle');
      return toPollInfo(
        await sql.pollFlightInfoHandle(command.statementHandle, context, descriptor),
        descriptor,
        undefined,
      );
    default:
      if (!isMetadataCommand(command)) throw wrongRpc(command, 'PollFlightInfo');
  }
  return donePollInfo(await getSqlFlightInfo(sql, command, context, descriptor));
}

/** Serves GetSchema of a command. */
export async function getSqlSchema(
  sql: FlightSqlHandlers,
  command: SqlCommand,
  context: ServerCallContext,
): Promise<SchemaResult> {
  switch (command.kind) {
    case 'CommandStatementQuery':
      if (sql.getSchemaStatement === undefined) throw notServed(`GetSchema of ${command.kind}`);
      return toSchemaResult(await sql.getSchemaStatement(command, context));
    case 'CommandStatementSubstraitPlan':
      if (sql.getSchemaSubstraitPlan === undefined) throw notServed(`GetSchema of ${command.kind}`);
      return toSchemaResult(await sql.getSchemaSubstraitPlan(command, context));
    case 'CommandPreparedStatementQuery':
      if (sql.getSchemaPreparedStatement === undefined) throw notServed(`GetSchema of ${command.kind}`);
      return toSchemaResult(await sql.getSchemaPreparedStatement(command, context));
    default:
      if (!isMetadataCommand(command)) throw wrongRpc(command, 'GetSchema');
      return toSchemaResult(servedMetadataSchema(sql, command));
  }
}

/** Serves DoGet of a ticket. */
export async function doGetSql(
  sql: FlightSqlHandlers,
  command: SqlCommand,
  context: ServerCallContext,
): Promise<DoGetResult> {
  switch (command.kind) {
    case 'TicketStatementQuery':
      if (sql.doGetStatement === undefined) throw notServed(`DoGet of ${command.kind}`);
      return sql.doGetStatement(command.statementHandle, context);
    case 'CommandPreparedStatementQuery':
      if (sql.doGetPreparedStatement === undefined) throw notServed(`DoGet of ${command.kind}`);
      return sql.doGetPreparedStatement(command, context);
    default:
      if (!isMetadataCommand(command)) throw wrongRpc(command, 'DoGet');
      return getMetadata(sql, command, context);
  }
}
