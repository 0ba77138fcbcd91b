import {
  type Action,
  ActionType,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  Result,
} from '@peregrine/flight';
import type { DatasetStore } from '../datasets/dataset.ts';

/** What an action's code gets. */
interface ActionContext {
  readonly store: DatasetStore;
  /** The action's body as text. */
  readonly body: string;
}

/** One action: how ListActions describes it, and what it answers. */
interface ActionDefinition {
  readonly description: string;
  readonly run: (context: ActionContext) => Promise<string> | string;
}

const definitions: Readonly<Record<string, ActionDefinition>> = {
  ping: { description: 'Answers "pong".', run: () => 'pong' },
  healthcheck: {
    description: 'Answers {"status":"SERVING"} and how many datasets there are, as JSON.',
    run: ({ store }) => JSON.stringify({ status: 'SERVING', datasets: store.list().length }),
  },
  list_tables: {
    description: 'Answers the names of all datasets, one a line.',
    run: ({ store }) =>
      store
        .list()
        .map((dataset) => dataset.name)
        .join('\n'),
  },
  get_stats: {
    description: 'Answers the number of datasets, and rows and bytes of each, as JSON.',
    run: async ({ store }) => {
      const tables = await Promise.all(
        store.list().map(async (dataset) => {
          const { rows, bytes } = await dataset.describe();
          return { name: dataset.name, rows, bytes, origin: dataset.origin };
        }),
      );
      return JSON.stringify({
        table_count: tables.length,
        total_rows: tables.reduce((sum, table) => sum + table.rows, 0),
        total_bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
        tables,
      });
    },
  },
  drop_table: {
    description: 'Forgets the dataset that the body names; files stay on disk.',
    run: ({ store, body }) => {
      if (body === '')
        throw new FlightInvalidArgumentError('drop_table needs the name of a dataset as its body');
      if (!store.drop(body))
        throw new FlightNotFoundError(`there is no dataset ${body}; list_tables names them`);
      return `dropped ${body}`;
    },
  },
};

/** What ListActions answers. */
export function listActionTypes(): ActionType[] {
  return Object.entries(definitions).map(([type, { description }]) => new ActionType(type, description));
}

/**
 * Runs an action of the data server.
 *
 * @throws FlightNotFoundError for an action that is not there
 */
export async function runAction(store: DatasetStore, action: Action): Promise<Result> {
  const definition = Object.hasOwn(definitions, action.type) ? definitions[action.type] : undefined;
  if (definition === undefined) {
    throw new FlightNotFoundError(
      `there is no action ${action.type}; this server has ${Object.keys(definitions).join(', ')}`,
    );
  }
  const body = new TextDecoder().decode(action.body);
  return new Result(await definition.run({ store, body }));
}
