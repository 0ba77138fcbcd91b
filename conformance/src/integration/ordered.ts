import assert from 'node:assert/strict';
import {
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  FlightNotFoundError,
  RecordBatchStream,
  connect,
} from '@peregrine/flight';
import { numbersBatch, numbersSchema, readNumbers, text } from './expect.ts';
import type { Scenario } from './scenario.ts';

const parts: ReadonlyMap<string, readonly number[]> = new Map([
  ['1', [1, 2, 3]],
  ['2', [10, 20, 30]],
  ['3', [100, 200, 300]],
]);

/** The order of the endpoints is the order of the data. */
export const ordered: Scenario = {
  name: 'ordered',
  server: () => {
    const schema = numbersSchema();
    return {
      handlers: {
        getFlightInfo: (descriptor) => {
          const inOrder = descriptor.type === 'CMD' && text(descriptor.command) === 'ordered';
          const tickets = inOrder ? ['1', '2', '3'] : ['1', '3', '2'];
          const endpoints = tickets.map((ticket) => new FlightEndpoint(ticket));
          return new FlightInfo(schema, descriptor, endpoints, { ordered: inOrder });
        },
        doGet: ({ ticket }) => {
          const values = parts.get(text(ticket));
          if (values === undefined) throw new FlightNotFoundError(`no such ticket: ${text(ticket)}`);
          return new RecordBatchStream([numbersBatch(schema, values)]);
        },
      },
    };
  },
  client: async (location) => {
    await using client = connect(location);
    const info = await client.getFlightInfo(FlightDescriptor.forCommand('ordered'));
    assert.equal(info.ordered, true);
    const numbers: number[] = [];
    for (const endpoint of info.endpoints) {
      assert.equal(endpoint.locations.length, 0);
      numbers.push(...(await readNumbers(client.doGet(endpoint.ticket))));
    }
    assert.deepEqual(numbers, [1, 2, 3, 10, 20, 30, 100, 200, 300]);
    const table = await client.readAll(info);
    assert.deepEqual([...(table.getChild('number') ?? [])], numbers);
  },
};
