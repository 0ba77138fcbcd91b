import { FlightInvalidArgumentError } from '@peregrine/flight';
import { quoteIdentifier } from '../engine/sql-text.ts';
import type { FlightCommand } from './command.ts';

/** Whether a command wants all of a dataset, as it is stored. */
export function wantsAll({ columns, filter, limit, sql }: FlightCommand): boolean {
  return columns === undefined && filter === undefined && limit === undefined && sql === undefined;
}

/**
 * The SQL of a command over a table: only the columns wanted are read, and the condition is left to the engine, which
 * takes it down to the files.
 */
export function selectOf(sqlName: string, { columns, filter, limit }: FlightCommand): string {
  const list = columns === undefined ? '*' : columns.map(quoteIdentifier).join(', ');
  // On lines of its own, so that a comment at its end hides nothing.
  const where = filter === undefined ? '' : ` WHERE (\n${filter}\n)`;
  return `SELECT ${list} FROM ${sqlName}${where}${limit === undefined ? '' : ` LIMIT ${limit}`}`;
}

/** @throws FlightInvalidArgumentError when SQL text comes with what is only for datasets */
export function checkAlone(command: FlightCommand): void {
  const { columns, filter, limit, path, sql } = command;
  if (sql === undefined) return;
  if (path !== undefined || columns !== undefined || filter !== undefined || limit !== undefined) {
    throw new FlightInvalidArgumentError(
      '"sql" of a JSON command stands alone: say columns, filter and limit in the SQL text',
    );
  }
}
