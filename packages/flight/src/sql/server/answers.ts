/** Makes what goes over the wire of what applications answer briefly. */

import type { Schema } from 'apache-arrow';
import {
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  PollInfo,
  SchemaResult,
  type Ticket,
} from '../../model/index.ts';
import { FlightInternalError } from '../../errors.ts';
import { sqlDescriptor, sqlTicket } from '../commands/codec.ts';
import { wanted } from './refusals.ts';
import type { PollAnswer, SchemaAnswer, StatementAnswer } from './types.ts';

/**
 * The FlightInfo of an answer: one endpoint, without a location, which is the connection that the client has.
 *
 * @param ownTicket - the ticket of results that have no handle; undefined where each must have one
 * @throws FlightInternalError for a result without a handle that needs one
 */
export function toFlightInfo(
  answer: StatementAnswer,
  descriptor: FlightDescriptor,
  ownTicket: Ticket | undefined,
): FlightInfo {
  if (answer instanceof FlightInfo) return answer;
  const { schema, handle, expirationTime, ...options } = wanted(
    answer,
    'where the rows can be had, with their schema',
  );
  const ticket =
    handle === undefined ? ownTicket : sqlTicket({ kind: 'TicketStatementQuery', statementHandle: handle });
  if (ticket === undefined) {
    throw new FlightInternalError(
      'the result of a statement has no handle, and so no ticket to fetch it with',
    );
  }
  // one endpoint is in order
  return new FlightInfo(schema, descriptor, [new FlightEndpoint(ticket, [], { expirationTime })], options);
}

/** The PollInfo of an answer. Throws as {@link toFlightInfo}. */
export function toPollInfo(
  answer: PollAnswer,
  descriptor: FlightDescriptor,
  ownTicket: Ticket | undefined,
): PollInfo {
  if (answer instanceof PollInfo) return answer;
  const { info, next, progress, expirationTime } = wanted(answer, 'how far the query is');
  return new PollInfo(
    info === undefined ? undefined : toFlightInfo(info, descriptor, ownTicket),
    next instanceof Uint8Array
      ? sqlDescriptor({ kind: 'TicketStatementQuery', statementHandle: next })
      : next,
    { progress, expirationTime },
  );
}

/** The PollInfo of a query that is done. */
export function donePollInfo(info: FlightInfo): PollInfo {
  return new PollInfo(info, undefined, { progress: 1 });
}

/** The SchemaResult of an answer. */
export function toSchemaResult(answer: SchemaAnswer): SchemaResult {
  return answer instanceof SchemaResult ? answer : new SchemaResult(wanted(answer, 'a schema'));
}

/** The FlightInfo of a metadata command, whose ticket is the command itself. */
export function metadataInfo(schema: Schema, descriptor: FlightDescriptor): FlightInfo {
  return new FlightInfo(schema, FlightDescriptor.forCommand(descriptor.command), [
    new FlightEndpoint(descriptor.command),
  ]);
}
