/** A batch of parameters, one row a run of the statement, out of JavaScript values. */

import { DataType, Field, type RecordBatch, Schema } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { batchOfColumns } from '../metadata/columns.ts';
import { columnOf } from './columns.ts';
import { inferType } from './infer.ts';

/** The parameters of one run: values in the order of the placeholders, or by name. */
export type SqlParameterRow = readonly unknown[] | Readonly<Record<string, unknown>>;

/**
 * Makes the batch. Types are those of the schema; where it says null, or where there is none, those of the values.
 *
 * @param rows - one for each run; each with the same number of values, or the same names
 * @param schema - the statement's parameter schema. Default: not known
 * @throws FlightInvalidArgumentError for another number of values than the statement has parameters, for names that it
 *   does not have, for those of its schema that have no value (null is one), and for values that a type cannot hold
 */
export function parameterBatch(rows: readonly SqlParameterRow[], schema?: Schema): RecordBatch {
  const given = schema === undefined || schema.fields.length === 0 ? undefined : schema.fields;
  const names = given?.map(({ name }) => name) ?? namesOf(rows);
  const table = rows.map((row) => valuesOf(row, names, given !== undefined));
  const fields = names.map((name, index) => {
    const values = table.map((row) => row[index]);
    const field = given?.[index];
    const type = field === undefined || DataType.isNull(field.type) ? inferType(values) : field.type;
    const hasNull = values.some((value) => value === null || value === undefined);
    return new Field(name, type, hasNull || (field?.nullable ?? true), field?.metadata);
  });
  const columns = fields.map(({ name, type }, index) => {
    try {
      return columnOf(
        type,
        table.map((row) => row[index]),
      );
    } catch (error) {
      if (!(error instanceof FlightInvalidArgumentError)) throw error;
      throw new FlightInvalidArgumentError(`parameter ${index + 1} (${name}): ${error.rawMessage}`, {
        cause: error,
      });
    }
  });
  return batchOfColumns(new Schema(fields, schema?.metadata), rows.length, columns);
}

/** Without a schema parameters are called as in the first row, or by their place from 1. */
function namesOf([first = []]: readonly SqlParameterRow[]): readonly string[] {
  return isPositional(first) ? first.map((_value, index) => String(index + 1)) : Object.keys(first);
}

function valuesOf(row: SqlParameterRow, names: readonly string[], isPrepared: boolean): readonly unknown[] {
  if (isPositional(row)) {
    if (row.length !== names.length) {
      throw new FlightInvalidArgumentError(
        `${row.length} values were given where ${isPrepared ? 'the statement has' : 'the first row has'} ${names.length}`,
      );
    }
    return row;
  }
  const unknown = Object.keys(row).find((name) => !isKnown(name, names));
  if (unknown !== undefined) {
    throw new FlightInvalidArgumentError(`there is no parameter ${unknown}; there are: ${names.join(', ')}`);
  }
  return names.map((name) => {
    const key = [name, bare(name)].find((each) => Object.hasOwn(row, each));
    if (key === undefined) {
      // rows that name parameters themselves need not name all of them in each
      if (!isPrepared) return undefined;
      throw new FlightInvalidArgumentError(
        `there is no value for the parameter ${name}; give null where it is to have none`,
      );
    }
    return row[key];
  });
}

/** Engines name parameters with their sign or without it: `$id`, `:id`, `@id`, `id`. */
function bare(name: string): string {
  return name.replace(/^[$:@]/, '');
}

function isKnown(name: string, names: readonly string[]): boolean {
  return names.some((each) => each === name || bare(each) === name);
}

function isPositional(row: SqlParameterRow): row is readonly unknown[] {
  return Array.isArray(row);
}
