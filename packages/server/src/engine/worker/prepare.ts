import { FlightError, FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { type ArrowSchema, encodeRawSchema } from '@peregrine/flight/ipc/messages';
import { DriverError } from '../adbc/driver.ts';
import { statementTypes } from '../adbc/duckdb-library.ts';
import { describeParameters } from '../adbc/parameter-types.ts';
import { type Address, allocate, free } from '../c-data/native.ts';
import { readSchema } from '../c-data/read-schema.ts';
import { isHeld, releaseStruct, structBytes } from '../c-data/structs.ts';
import { type Call, type WorkerDriver, withStatement } from './driver-calls.ts';
import type { OperationArguments, PreparedFacts } from './messages.ts';
import { openResult } from './open-result.ts';
import { closeResult } from './results.ts';
import { kindOf } from './statement-kind.ts';
import { checkText, holdsSeveral } from './statement-text.ts';
import { wideSchema } from './wide-schema.ts';

/** Prepares a statement: what it turned out to be. @throws FlightInvalidArgumentError where the text holds several */
export function prepare(
  driver: WorkerDriver,
  { connection, statement, sql, schema }: OperationArguments<'prepare'>,
): PreparedFacts {
  const { call, library } = driver;
  const count = checkText(library, connection, sql);
  // PIVOT without a list of values counts as two: one that finds the values, and one that uses them.
  if (count !== undefined && count > 1 && holdsSeveral(sql)) {
    throw new FlightInvalidArgumentError(
      `one statement can be prepared at a time, and this text has ${count}; send them one by one`,
    );
  }
  call('StatementSetSqlQuery', statement, sql);
  call('StatementPrepare', statement);
  return factsOf(driver, { connection, statement, sql, schema: schema || count !== 1 });
}

/** Schemas of what queries give, which are prepared only; undefined where the driver refuses the query. */
export function describeQueries(
  driver: WorkerDriver,
  { connection, queries }: OperationArguments<'describe'>,
): (Uint8Array | undefined)[] {
  const { call } = driver;
  return queries.map((sql) => {
    try {
      return withStatement(call, connection, sql, (statement) => {
        call('StatementPrepare', statement);
        return factsOf(driver, { connection, statement, sql, schema: true }).resultSchema;
      });
    } catch (error) {
      if (error instanceof DriverError || error instanceof FlightError) return undefined;
      throw error;
    }
  });
}

/** What a statement is that has been prepared. */
function factsOf(
  { call, library }: WorkerDriver,
  { connection, statement, sql, schema: asksSchema }: OperationArguments<'prepare'>,
): PreparedFacts {
  const parameters = askSchema((struct) => call('StatementGetParameterSchema', statement, struct));
  const hasNone = parameters?.fields.length === 0;
  const type = library?.statementType(connection, statement);
  const isPlainSelect = type === statementTypes.select && hasNone;
  const wide =
    library !== undefined && asksSchema && isPlainSelect
      ? wideSchema(library, connection, statement, sql, (text) => schemaOf(call, connection, text))
      : undefined;
  // What other statements are is told by their schema, and how many columns there are where parameters have no type yet.
  const resultSchema =
    isPlainSelect && !asksSchema
      ? undefined
      : (wide ?? askSchema((struct) => call('StatementExecuteSchema', statement, struct)));
  if (library !== undefined && type === undefined && resultSchema === undefined) {
    throw new FlightInvalidArgumentError('the SQL text holds no statement');
  }
  return {
    kind: kindOf(type, resultSchema, sql),
    resultSchema: resultSchema === undefined ? undefined : encodeRawSchema(resultSchema),
    columnCount: hasNone ? library?.columnCount(connection, statement) : undefined,
    parameterSchema: encodeRawSchema(
      describeParameters(parameters ?? noFields, library?.parameterTypes(connection, statement)),
    ),
  };
}

const noFields: ArrowSchema = { fields: [], metadata: new Map(), endianness: 'little' };

/** A schema that the driver may not know; undefined then. */
function askSchema(ask: (struct: Address) => void): ArrowSchema | undefined {
  const struct = allocate(structBytes.schema);
  try {
    ask(struct);
    return readSchema(struct);
  } catch (error) {
    if (error instanceof DriverError) return undefined;
    throw error;
  } finally {
    if (isHeld('schema', struct)) releaseStruct('schema', struct);
    free(struct);
  }
}

/** The schema of what a query gives, which is run; undefined where the driver refuses it. */
function schemaOf(call: Call, connection: Address, sql: string): Uint8Array | undefined {
  try {
    return withStatement(call, connection, sql, (statement) => {
      const { result, schema } = openResult((to) => call('StatementExecuteQuery', statement, to, 0));
      closeResult(result);
      return schema;
    });
  } catch (error) {
    if (error instanceof DriverError) return undefined;
    throw error;
  }
}
