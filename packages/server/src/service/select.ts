import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { quoteIdentifier } from '../engine/sql-text.ts';
import { sqlTokens } from '../engine/sql-tokens.ts';
import type { FlightCommand } from './command.ts';

/** Whether a command wants all of a dataset, as it is stored. */
export function wantsAll({ columns, filter, limit, sql }: FlightCommand): boolean {
  return columns === undefined && filter === undefined && limit === undefined && sql === undefined;
}

/**
 * The SQL of a command over a table: only the columns wanted are read, and the condition is left to the engine, which
 * takes it down to the files.
 *
 * @throws FlightInvalidArgumentError when the condition is more than one
 */
export function selectOf(sqlName: string, { columns, filter, limit }: FlightCommand): string {
  const list = columns === undefined ? '*' : columns.map(columnOf).join(', ');
  if (filter !== undefined) checkCondition(filter);
  // On lines of its own, so that a comment at its end hides nothing.
  const where = filter === undefined ? '' : ` WHERE (\n${filter}\n)`;
  return `SELECT ${list} FROM ${sqlName}${where}${limit === undefined ? '' : ` LIMIT ${limit}`}`;
}

/** In parentheses, so that the column is not taken for a table of that name; called like the field. */
function columnOf([name, ...fields]: readonly [string, ...string[]]): string {
  const column = quoteIdentifier(name);
  const names = fields.map((field) => quoteIdentifier(field));
  const last = names.at(-1);
  return last === undefined ? column : `${[`(${column})`, ...names].join('.')} AS ${last}`;
}

/** Rows that a command gives, where that is known without reading: of all rows, those up to its limit. */
export function rowsOf({ filter, limit }: FlightCommand, all: number | undefined): number | undefined {
  if (filter !== undefined || all === undefined) return undefined;
  return limit === undefined ? all : Math.min(limit, all);
}

/** A condition that closes more than it opened would be read as what comes after a condition. */
function checkCondition(filter: string): void {
  let open = 0;
  for (const { kind, text } of sqlTokens(filter)) {
    if (kind !== 'symbol') continue;
    if (text === '(') open++;
    if (text === ')') open--;
    if (open < 0 || text === ';') {
      throw new FlightInvalidArgumentError(
        `"filter" of a JSON command is one condition, and not with a ${JSON.stringify(text)} that ends it; give whole statements as "sql"`,
      );
    }
  }
}
