import type { FlightHandlers } from '../../server/index.ts';
import { parseSqlAction } from '../actions/codec.ts';
import { parseSqlDescriptor, parseSqlTicket } from '../commands/codec.ts';
import { doSqlAction, servedSqlActions } from './actions.ts';
import { doPutSql } from './puts.ts';
import { doGetSql, getSqlFlightInfo, getSqlSchema, pollSqlFlightInfo } from './queries.ts';
import { notServed, notSql } from './refusals.ts';
import type { FlightSqlHandlers } from './types.ts';

/**
 * Makes handlers of Flight of handlers of Flight SQL.
 *
 * What is no message of Flight SQL, such as a path descriptor or an action of another name, goes to the plain handlers.
 * Predefined actions (CancelFlightInfo and those on sessions) are served by the SQL handlers where these have them,
 * for plain flights as well.
 *
 * @param sql - serve the commands
 * @param plain - serve everything else. Default: nothing
 */
export function createFlightSqlHandlers(sql: FlightSqlHandlers, plain: FlightHandlers = {}): FlightHandlers {
  const cancel = sql.cancelFlightInfo?.bind(sql) ?? plain.cancelFlightInfo?.bind(plain);
  const renew = sql.renewFlightEndpoint?.bind(sql) ?? plain.renewFlightEndpoint?.bind(plain);
  const setOptions = sql.setSessionOptions?.bind(sql) ?? plain.setSessionOptions?.bind(plain);
  const getOptions = sql.getSessionOptions?.bind(sql) ?? plain.getSessionOptions?.bind(plain);
  const closeSession = sql.closeSession?.bind(sql) ?? plain.closeSession?.bind(plain);
  return {
    async getFlightInfo(descriptor, context) {
      const command = parseSqlDescriptor(descriptor);
      if (command !== undefined) return getSqlFlightInfo(sql, command, context, descriptor);
      if (plain.getFlightInfo === undefined) throw notSql('the descriptor', 'GetFlightInfo');
      return plain.getFlightInfo(descriptor, context);
    },
    async pollFlightInfo(descriptor, context) {
      const command = parseSqlDescriptor(descriptor);
      if (command !== undefined) return pollSqlFlightInfo(sql, command, context, descriptor);
      if (plain.pollFlightInfo === undefined) throw notSql('the descriptor', 'PollFlightInfo');
      return plain.pollFlightInfo(descriptor, context);
    },
    async getSchema(descriptor, context) {
      const command = parseSqlDescriptor(descriptor);
      if (command !== undefined) return getSqlSchema(sql, command, context);
      if (plain.getSchema === undefined) throw notSql('the descriptor', 'GetSchema');
      return plain.getSchema(descriptor, context);
    },
    async doGet(ticket, context) {
      const command = parseSqlTicket(ticket);
      if (command !== undefined) return doGetSql(sql, command, context);
      if (plain.doGet === undefined) throw notSql('the ticket', 'DoGet');
      return plain.doGet(ticket, context);
    },
    async doPut(descriptor, reader, writer, context) {
      const command = parseSqlDescriptor(descriptor);
      if (command !== undefined) return doPutSql(sql, command, reader, writer, context);
      if (plain.doPut === undefined) throw notSql('the descriptor', 'DoPut');
      return plain.doPut(descriptor, reader, writer, context);
    },
    async doAction(action, context) {
      const request = parseSqlAction(action);
      if (request !== undefined) return doSqlAction(sql, cancel, request, context);
      if (plain.doAction === undefined) throw notServed(`an action "${action.type}"`);
      return plain.doAction(action, context);
    },
    async *listActions(context) {
      yield* servedSqlActions(sql, cancel);
      if (plain.listActions !== undefined) yield* await plain.listActions(context);
    },
    ...(plain.handshake && { handshake: plain.handshake.bind(plain) }),
    ...(plain.listFlights && { listFlights: plain.listFlights.bind(plain) }),
    ...(plain.doExchange && { doExchange: plain.doExchange.bind(plain) }),
    ...(cancel && { cancelFlightInfo: cancel }),
    ...(renew && { renewFlightEndpoint: renew }),
    ...(setOptions && { setSessionOptions: setOptions }),
    ...(getOptions && { getSessionOptions: getOptions }),
    ...(closeSession && { closeSession }),
  };
}
