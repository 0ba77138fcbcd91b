import { type Action, ActionType, Result, type ServerCallContext } from '@peregrine/flight';
import { FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight/errors';
import type { SqlService } from '../sql/service.ts';
import { decodeText, parseCommand } from './command.ts';
import { quoted } from './names.ts';
import { findTable } from './requests.ts';
import { wantsAll } from './select.ts';
import type { ServedTables } from './served-tables.ts';

/** What actions work with. */
export interface ActionContext {
  readonly tables: ServedTables;
  /** Undefined: no SQL. */
  readonly sql: SqlService | undefined;
  /** Why the server is not ready; undefined when it is. */
  readonly notReady: () => string | undefined;
  readonly context: ServerCallContext;
}

/** One action: how ListActions describes it, and what it answers to its body. */
interface ActionDefinition {
  readonly description: string;
  readonly run: (parts: ActionContext, body: Uint8Array) => Promise<string> | string;
}

const definitions: Readonly<Record<string, ActionDefinition>> = {
  ping: { description: 'Answers "pong".', run: () => 'pong' },
  healthcheck: {
    description:
      'Answers {"status":"SERVING"} and how many datasets there are, or "NOT_SERVING" and why, as JSON.',
    run: async ({ context, notReady, tables }) => {
      const reason = notReady();
      if (reason !== undefined) return JSON.stringify({ status: 'NOT_SERVING', reason });
      return JSON.stringify({ status: 'SERVING', datasets: (await tables.list(context)).length });
    },
  },
  list_tables: {
    description: 'Answers the names of all datasets and tables, one a line.',
    run: async ({ context, tables }) => (await tables.list(context)).map(({ name }) => name).join('\n'),
  },
  get_stats: {
    description:
      'Answers the number of datasets, rows and bytes of each, what cannot be read and why, and what the engine runs, as JSON. With the name of a dataset as its body: of that one.',
    run: async ({ context, sql, tables }, body) => {
      const listed =
        body.length === 0
          ? await tables.list(context)
          : [await findTable({ sql, tables }, pathIn('get_stats', tables, body), context)];
      const found = await Promise.all(
        listed.map(async (table) => {
          const facts = await table.describe().catch(() => undefined);
          return {
            name: table.name,
            rows: facts?.rows ?? null,
            bytes: facts?.bytes ?? null,
            origin: table.origin,
          };
        }),
      );
      return JSON.stringify({
        table_count: found.length,
        total_rows: found.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
        total_bytes: found.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
        tables: found,
        ...(body.length === 0 && { problems: tables.problems() }),
        ...(sql === undefined ? {} : { engine: sql.engine.statistics }),
      });
    },
  },
  drop_table: {
    description:
      'Drops the dataset or table that the body names. A file that a dataset in memory stood before is served again; files that are not in a writable store are refused.',
    run: async ({ context, tables }, body) => {
      if (body.length === 0) {
        throw new FlightInvalidArgumentError('drop_table needs the name of a dataset as its body');
      }
      const path = pathIn('drop_table', tables, body);
      const name = path.join('.');
      if (!(await tables.drop(path, context))) {
        throw new FlightNotFoundError(`there is no dataset ${quoted(name)}; list_tables names them`);
      }
      return `dropped ${name}`;
    },
  },
  refresh: {
    description: 'Looks at files and buckets now: answers what was added, changed and removed, as JSON.',
    run: async ({ tables }) => JSON.stringify(await tables.refresh()),
  },
};

/** A name, whatever it looks like, or the JSON command of a whole dataset. */
function pathIn(action: string, tables: ServedTables, body: Uint8Array): readonly string[] {
  const name = decodeText('name', body);
  if (tables.has(name) || !name.trimStart().startsWith('{')) return [name];
  const command = parseCommand(body, () => false);
  if (command.path !== undefined && wantsAll(command)) return command.path;
  throw new FlightInvalidArgumentError(`${action} takes whole datasets: give a name, or {"dataset": name}`);
}

/** What ListActions answers. */
export function listActionTypes(): ActionType[] {
  return Object.entries(definitions).map(([type, { description }]) => new ActionType(type, description));
}

/**
 * Runs an action of the data server.
 *
 * @throws FlightNotFoundError for an action that is not there
 */
export async function runAction(parts: ActionContext, action: Action): Promise<Result> {
  const definition = Object.hasOwn(definitions, action.type) ? definitions[action.type] : undefined;
  if (definition === undefined) {
    throw new FlightNotFoundError(
      `there is no action ${quoted(action.type)}; this server has ${Object.keys(definitions).join(', ')}, and those of Flight SQL`,
    );
  }
  return new Result(await definition.run(parts, action.body));
}
