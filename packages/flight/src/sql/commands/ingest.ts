/** The command of bulk ingest to its message and back: the one with choices. */

import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError } from '../../errors.ts';
import {
  type CommandStatementIngest as Message,
  CommandStatementIngest_TableDefinitionOptions_TableExistsOption as TableExists,
  CommandStatementIngest_TableDefinitionOptions_TableNotExistOption as TableNotExist,
  CommandStatementIngestSchema,
} from '../../proto/gen/flight_sql_pb.ts';
import type { CommandStatementIngest, IngestIfExists, IngestIfMissing } from './types.ts';

const ifMissingOnWire: Readonly<Record<IngestIfMissing, TableNotExist>> = {
  create: TableNotExist.CREATE,
  fail: TableNotExist.FAIL,
};

const ifExistsOnWire: Readonly<Record<IngestIfExists, TableExists>> = {
  fail: TableExists.FAIL,
  append: TableExists.APPEND,
  replace: TableExists.REPLACE,
};

/** The message of a command. */
export function ingestToMessage(command: CommandStatementIngest): Message {
  return create(CommandStatementIngestSchema, {
    tableDefinitionOptions: {
      ifNotExist: ifMissingOnWire[command.ifMissing],
      ifExists: ifExistsOnWire[command.ifExists],
    },
    table: command.table,
    schema: command.schema,
    catalog: command.catalog,
    temporary: command.temporary,
    transactionId: command.transactionId,
    options: { ...command.options },
  });
}

/**
 * The command of a message.
 *
 * @throws FlightInvalidArgumentError when it names no table, or does not say what to do with one that is there or not:
 *   the format leaves no default for that
 */
export function ingestFromMessage(message: Message): CommandStatementIngest {
  if (message.table === '') {
    throw new FlightInvalidArgumentError('the CommandStatementIngest names no table');
  }
  const { ifNotExist, ifExists } = message.tableDefinitionOptions ?? {};
  return {
    kind: 'CommandStatementIngest',
    table: message.table,
    ifMissing: choice(ifMissingOnWire, ifNotExist, 'if_not_exist'),
    ifExists: choice(ifExistsOnWire, ifExists, 'if_exists'),
    schema: message.schema,
    catalog: message.catalog,
    temporary: message.temporary,
    transactionId: message.transactionId,
    options: { ...message.options },
  };
}

function choice<Name extends string>(
  names: Readonly<Record<Name, number>>,
  value: number | undefined,
  field: string,
): Name {
  for (const name in names) if (names[name] === value) return name;
  const known = Object.entries(names).map(([name, number]) => `${String(number)} (${name})`);
  throw new FlightInvalidArgumentError(
    `table_definition_options.${field} of the CommandStatementIngest is ${value ?? 'missing'}; it must be one of ${known.join(', ')}`,
  );
}
