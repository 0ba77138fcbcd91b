import {
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  PollInfo,
  SchemaResult,
  type ServerCallContext,
  Ticket,
} from '@peregrine/flight';
import { encapsulate } from '@peregrine/flight/ipc';
import { type StatementInfo, sqlDescriptor, sqlTicket } from '@peregrine/flight/sql';
import { answerSchema, describeStatement } from '../sql/plan.ts';
import type { FlightCommand } from './command.ts';
import { parseCriteria } from './criteria.ts';
import { type ServiceParts, type Wanted, findTable, requestFor, requireSql, wantedBy } from './requests.ts';
import { wantsAll } from './select.ts';
import type { ServedTable } from './served-table.ts';

/** Every table that criteria want. */
export async function* listFlights(
  { tables }: ServiceParts,
  criteria: Uint8Array,
  context: ServerCallContext,
): AsyncGenerator<FlightInfo> {
  const isWanted = parseCriteria(criteria);
  for (const table of await tables.list(context)) {
    if (!isWanted(table.name)) continue;
    // A view whose table is gone, or a file that is broken, must not hide all others.
    const info = await infoOfTable(table, FlightDescriptor.forPath(...table.path)).catch((error: unknown) => {
      if (context.isCancelled) throw error;
      return undefined;
    });
    if (info !== undefined) yield info;
  }
}

/** The FlightInfo of a command. */
export async function getInfo(
  parts: ServiceParts,
  command: FlightCommand,
  descriptor: FlightDescriptor,
  context: ServerCallContext,
): Promise<FlightInfo> {
  if (command.path !== undefined && wantsAll(command)) {
    return infoOfTable(await findTable(parts, command.path, context), descriptor);
  }
  const wanted = await wantedBy(parts, command, context);
  if (wanted.kind === 'table') return infoOfTable(wanted.table, descriptor);
  const sql = requireSql(parts);
  const planned = await sql.statements.plan(await requestFor(sql, wanted.text, context), context);
  return infoOfPlan(await withRows(planned, wanted), descriptor);
}

/**
 * The same without waiting for it: what takes long is begun, and asked for again with the descriptor of the answer. A
 * FlightInfo without endpoints is there to cancel with meanwhile.
 */
export async function pollInfo(
  parts: ServiceParts,
  command: FlightCommand,
  descriptor: FlightDescriptor,
  context: ServerCallContext,
): Promise<PollInfo> {
  if (command.path !== undefined && wantsAll(command)) {
    return new PollInfo(await getInfo(parts, command, descriptor, context), undefined, { progress: 1 });
  }
  const wanted = await wantedBy(parts, command, context);
  if (wanted.kind === 'table') {
    return new PollInfo(await infoOfTable(wanted.table, descriptor), undefined, { progress: 1 });
  }
  const sql = requireSql(parts);
  const request = await requestFor(sql, wanted.text, context);
  const { expirationTime, info, next, progress } = await sql.statements.poll(request, context, descriptor);
  // Whoever asks again does so by Flight SQL, whose handle it is.
  const again =
    next instanceof Uint8Array
      ? sqlDescriptor({ kind: 'TicketStatementQuery', statementHandle: next })
      : next;
  const known =
    info === undefined || info instanceof FlightInfo
      ? info
      : infoOfPlan(await withRows(info, wanted), descriptor);
  return new PollInfo(known, again, { progress, expirationTime });
}

/** The schema of what a command gives. */
export async function getSchema(
  parts: ServiceParts,
  command: FlightCommand,
  context: ServerCallContext,
): Promise<SchemaResult> {
  const wanted = await wantedBy(parts, command, context);
  if (wanted.kind === 'table') return new SchemaResult(encapsulate((await wanted.table.describe()).schema));
  const request = await requestFor(requireSql(parts), wanted.text, context);
  return new SchemaResult(encapsulate(answerSchema(await describeStatement(request, context.signal))));
}

/** A whole table: its name is the ticket, which does not expire; what is not stored as Arrow is planned when fetched. */
async function infoOfTable(table: ServedTable, descriptor: FlightDescriptor): Promise<FlightInfo> {
  const { bytes, rows, schema } = await table.describe();
  const name = table.path.length === 1 ? table.name : JSON.stringify({ dataset: table.path });
  // No location: the data is had over the same connection, whatever name or proxy led here.
  return new FlightInfo(encapsulate(schema), descriptor, [new FlightEndpoint(new Ticket(name))], {
    totalRecords: rows ?? -1,
    totalBytes: bytes ?? -1,
    ordered: true,
  });
}

async function withRows(
  planned: StatementInfo,
  wanted: Extract<Wanted, { readonly kind: 'sql' }>,
): Promise<StatementInfo> {
  const rows = await wanted.countRows?.();
  return rows === undefined ? planned : { ...planned, totalRecords: rows };
}

/** A statement: its ticket expires. */
function infoOfPlan(
  { expirationTime, handle, schema, ...options }: StatementInfo,
  descriptor: FlightDescriptor,
): FlightInfo {
  const ticket = sqlTicket({
    kind: 'TicketStatementQuery',
    statementHandle: handle ?? new Uint8Array(0),
  });
  return new FlightInfo(schema, descriptor, [new FlightEndpoint(ticket, [], { expirationTime })], {
    ...options,
    ordered: true,
  });
}
