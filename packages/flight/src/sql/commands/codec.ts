/** Commands to messages and back. */

import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../errors.ts';
import { FlightDescriptor } from '../../model/flight-descriptor.ts';
import { Ticket } from '../../model/ticket.ts';
import {
  CommandGetCatalogsSchema,
  CommandGetCrossReferenceSchema,
  CommandGetDbSchemasSchema,
  CommandGetExportedKeysSchema,
  CommandGetImportedKeysSchema,
  CommandGetPrimaryKeysSchema,
  CommandGetSqlInfoSchema,
  CommandGetTablesSchema,
  CommandGetTableTypesSchema,
  CommandGetXdbcTypeInfoSchema,
  CommandPreparedStatementQuerySchema,
  CommandPreparedStatementUpdateSchema,
  CommandStatementIngestSchema,
  CommandStatementQuerySchema,
  CommandStatementSubstraitPlanSchema,
  CommandStatementUpdateSchema,
  type SubstraitPlan as PlanMessage,
  TicketStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.ts';
import { decodePacked, type PackedMessage, packMessage, unpackMessage } from '../any.ts';
import { ingestFromMessage, ingestToMessage } from './ingest.ts';
import type { SqlCommand, SubstraitPlan } from './types.ts';

/** The bytes of a command: for a descriptor or a ticket. */
export function encodeSqlCommand(command: SqlCommand): Uint8Array {
  switch (command.kind) {
    case 'CommandStatementQuery':
      return packMessage(CommandStatementQuerySchema, create(CommandStatementQuerySchema, fields(command)));
    case 'CommandStatementSubstraitPlan':
      return packMessage(
        CommandStatementSubstraitPlanSchema,
        create(CommandStatementSubstraitPlanSchema, {
          plan: { plan: command.plan.plan, version: command.plan.version },
          transactionId: command.transactionId,
        }),
      );
    case 'TicketStatementQuery':
      return packMessage(TicketStatementQuerySchema, create(TicketStatementQuerySchema, fields(command)));
    case 'CommandStatementUpdate':
      return packMessage(CommandStatementUpdateSchema, create(CommandStatementUpdateSchema, fields(command)));
    case 'CommandStatementIngest':
      return packMessage(CommandStatementIngestSchema, ingestToMessage(command));
    case 'CommandPreparedStatementQuery':
      return packMessage(
        CommandPreparedStatementQuerySchema,
        create(CommandPreparedStatementQuerySchema, fields(command)),
      );
    case 'CommandPreparedStatementUpdate':
      return packMessage(
        CommandPreparedStatementUpdateSchema,
        create(CommandPreparedStatementUpdateSchema, fields(command)),
      );
    case 'CommandGetSqlInfo':
      return packMessage(
        CommandGetSqlInfoSchema,
        create(CommandGetSqlInfoSchema, { info: [...command.info] }),
      );
    case 'CommandGetXdbcTypeInfo':
      return packMessage(CommandGetXdbcTypeInfoSchema, create(CommandGetXdbcTypeInfoSchema, fields(command)));
    case 'CommandGetCatalogs':
      return packMessage(CommandGetCatalogsSchema, create(CommandGetCatalogsSchema));
    case 'CommandGetDbSchemas':
      return packMessage(CommandGetDbSchemasSchema, create(CommandGetDbSchemasSchema, fields(command)));
    case 'CommandGetTables':
      return packMessage(
        CommandGetTablesSchema,
        create(CommandGetTablesSchema, { ...fields(command), tableTypes: [...command.tableTypes] }),
      );
    case 'CommandGetTableTypes':
      return packMessage(CommandGetTableTypesSchema, create(CommandGetTableTypesSchema));
    case 'CommandGetPrimaryKeys':
      return packMessage(CommandGetPrimaryKeysSchema, create(CommandGetPrimaryKeysSchema, fields(command)));
    case 'CommandGetExportedKeys':
      return packMessage(CommandGetExportedKeysSchema, create(CommandGetExportedKeysSchema, fields(command)));
    case 'CommandGetImportedKeys':
      return packMessage(CommandGetImportedKeysSchema, create(CommandGetImportedKeysSchema, fields(command)));
    case 'CommandGetCrossReference':
      return packMessage(
        CommandGetCrossReferenceSchema,
        create(CommandGetCrossReferenceSchema, fields(command)),
      );
  }
}

/** The descriptor of a command. */
export function sqlDescriptor(command: SqlCommand): FlightDescriptor {
  return FlightDescriptor.forCommand(encodeSqlCommand(command));
}

/** The ticket of a command. */
export function sqlTicket(command: SqlCommand): Ticket {
  return new Ticket(encodeSqlCommand(command));
}

/**
 * Reads a command. Undefined when the bytes are no message of Flight SQL at all: then they are for whatever else the
 * server serves.
 *
 * @throws FlightInvalidArgumentError for a malformed command
 * @throws FlightUnimplementedError for one that is newer than this library
 */
export function parseSqlCommand(bytes: Uint8Array): SqlCommand | undefined {
  const packed = unpackMessage(bytes);
  if (packed === undefined) return undefined;
  const reader = readers.get(packed.name);
  if (reader === undefined) {
    throw new FlightUnimplementedError(`${packed.name} is no command of Flight SQL that is known here`);
  }
  return reader(packed);
}

/** Reads the command of a descriptor; undefined when it has none of Flight SQL. Throws as {@link parseSqlCommand}. */
export function parseSqlDescriptor(descriptor: FlightDescriptor): SqlCommand | undefined {
  return descriptor.type === 'CMD' ? parseSqlCommand(descriptor.command) : undefined;
}

/** Reads the command of a ticket; undefined when it has none of Flight SQL. Throws as {@link parseSqlCommand}. */
export function parseSqlTicket(ticket: Ticket): SqlCommand | undefined {
  return parseSqlCommand(ticket.ticket);
}

const readers: ReadonlyMap<string, (packed: PackedMessage) => SqlCommand> = new Map<
  SqlCommand['kind'],
  (packed: PackedMessage) => SqlCommand
>([
  [
    'CommandStatementQuery',
    (packed) => {
      const { query, transactionId } = decodePacked(CommandStatementQuerySchema, packed);
      return { kind: 'CommandStatementQuery', query, transactionId };
    },
  ],
  [
    'CommandStatementSubstraitPlan',
    (packed) => {
      const { plan, transactionId } = decodePacked(CommandStatementSubstraitPlanSchema, packed);
      return {
        kind: 'CommandStatementSubstraitPlan',
        plan: planOf(plan, 'CommandStatementSubstraitPlan'),
        transactionId,
      };
    },
  ],
  [
    'TicketStatementQuery',
    (packed) => {
      const { statementHandle } = decodePacked(TicketStatementQuerySchema, packed);
      return { kind: 'TicketStatementQuery', statementHandle };
    },
  ],
  [
    'CommandStatementUpdate',
    (packed) => {
      const { query, transactionId } = decodePacked(CommandStatementUpdateSchema, packed);
      return { kind: 'CommandStatementUpdate', query, transactionId };
    },
  ],
  [
    'CommandStatementIngest',
    (packed) => ingestFromMessage(decodePacked(CommandStatementIngestSchema, packed)),
  ],
  [
    'CommandPreparedStatementQuery',
    (packed) => {
      const { preparedStatementHandle } = decodePacked(CommandPreparedStatementQuerySchema, packed);
      return { kind: 'CommandPreparedStatementQuery', preparedStatementHandle };
    },
  ],
  [
    'CommandPreparedStatementUpdate',
    (packed) => {
      const { preparedStatementHandle } = decodePacked(CommandPreparedStatementUpdateSchema, packed);
      return { kind: 'CommandPreparedStatementUpdate', preparedStatementHandle };
    },
  ],
  [
    'CommandGetSqlInfo',
    (packed) => {
      const { info } = decodePacked(CommandGetSqlInfoSchema, packed);
      return { kind: 'CommandGetSqlInfo', info };
    },
  ],
  [
    'CommandGetXdbcTypeInfo',
    (packed) => {
      const { dataType } = decodePacked(CommandGetXdbcTypeInfoSchema, packed);
      return { kind: 'CommandGetXdbcTypeInfo', dataType };
    },
  ],
  [
    'CommandGetCatalogs',
    (packed) => {
      decodePacked(CommandGetCatalogsSchema, packed);
      return { kind: 'CommandGetCatalogs' };
    },
  ],
  [
    'CommandGetDbSchemas',
    (packed) => {
      const { catalog, dbSchemaFilterPattern } = decodePacked(CommandGetDbSchemasSchema, packed);
      return { kind: 'CommandGetDbSchemas', catalog, dbSchemaFilterPattern };
    },
  ],
  [
    'CommandGetTables',
    (packed) => {
      const { catalog, dbSchemaFilterPattern, tableNameFilterPattern, tableTypes, includeSchema } =
        decodePacked(CommandGetTablesSchema, packed);
      return {
        kind: 'CommandGetTables',
        catalog,
        dbSchemaFilterPattern,
        tableNameFilterPattern,
        tableTypes,
        includeSchema,
      };
    },
  ],
  [
    'CommandGetTableTypes',
    (packed) => {
      decodePacked(CommandGetTableTypesSchema, packed);
      return { kind: 'CommandGetTableTypes' };
    },
  ],
  [
    'CommandGetPrimaryKeys',
    (packed) => {
      const { catalog, dbSchema, table } = decodePacked(CommandGetPrimaryKeysSchema, packed);
      return { kind: 'CommandGetPrimaryKeys', catalog, dbSchema, table };
    },
  ],
  [
    'CommandGetExportedKeys',
    (packed) => {
      const { catalog, dbSchema, table } = decodePacked(CommandGetExportedKeysSchema, packed);
      return { kind: 'CommandGetExportedKeys', catalog, dbSchema, table };
    },
  ],
  [
    'CommandGetImportedKeys',
    (packed) => {
      const { catalog, dbSchema, table } = decodePacked(CommandGetImportedKeysSchema, packed);
      return { kind: 'CommandGetImportedKeys', catalog, dbSchema, table };
    },
  ],
  [
    'CommandGetCrossReference',
    (packed) => {
      const { pkCatalog, pkDbSchema, pkTable, fkCatalog, fkDbSchema, fkTable } = decodePacked(
        CommandGetCrossReferenceSchema,
        packed,
      );
      return {
        kind: 'CommandGetCrossReference',
        pkCatalog,
        pkDbSchema,
        pkTable,
        fkCatalog,
        fkDbSchema,
        fkTable,
      };
    },
  ],
]);

/** The fields of a command without its kind, which no message has. */
function fields<T extends { readonly kind: string }>(command: T): Omit<T, 'kind'> {
  const { kind: _kind, ...rest } = command;
  return rest;
}

/**
 * The plan of a message.
 *
 * @throws FlightInvalidArgumentError when it has none
 */
export function planOf(plan: PlanMessage | undefined, message: string): SubstraitPlan {
  if (plan === undefined) throw new FlightInvalidArgumentError(`the ${message} has no plan`);
  return { plan: plan.plan, version: plan.version };
}
