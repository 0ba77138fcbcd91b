import {
  FlightEndpoint,
  FlightInfo,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightDescriptor,
  type FlightHandlers,
  SchemaResult,
  Ticket,
} from '@peregrine/flight';
import type { Dataset, DatasetStore } from '../datasets/dataset.ts';
import { receiveDataset } from '../datasets/memory-dataset.ts';
import { encapsulate } from './encapsulate.ts';
import { listActionTypes, runAction } from './actions.ts';

const utf8 = new TextDecoder();

/**
 * Datasets as flights. A path descriptor of one element, a command and a ticket all hold the dataset's name.
 *
 * @param store - the datasets; DoPut adds to them
 */
export function createFlightService(store: DatasetStore): FlightHandlers {
  function find(name: string): Dataset {
    const dataset = store.get(name);
    if (dataset === undefined) {
      throw new FlightNotFoundError(
        `there is no dataset ${JSON.stringify(name)}; list_tables names those that are there`,
      );
    }
    return dataset;
  }

  return {
    async *listFlights(criteria) {
      const prefix = utf8.decode(criteria);
      for (const dataset of store.list()) {
        if (dataset.name.startsWith(prefix))
          yield await infoOf(dataset, FlightDescriptor.forPath(dataset.name));
      }
    },
    getFlightInfo: (descriptor) => infoOf(find(nameOf(descriptor)), descriptor),
    async getSchema(descriptor) {
      const { schemaHeader } = await find(nameOf(descriptor)).describe();
      return new SchemaResult(encapsulate(schemaHeader));
    },
    doGet: (ticket) => find(utf8.decode(ticket.ticket)).stream(),
    async doPut(descriptor, reader, writer) {
      const name = nameOf(descriptor);
      const { dataset } = await receiveDataset(name, reader.raw(), (rows) =>
        writer.write(JSON.stringify({ rows })),
      );
      // Only now: a DoPut that fails half-way leaves what was there.
      store.put(dataset);
    },
    doAction: (action) => runAction(store, action),
    listActions: () => listActionTypes(),
  };
}

async function infoOf(dataset: Dataset, descriptor: FlightDescriptor): Promise<FlightInfo> {
  const { schemaHeader, rows, bytes } = await dataset.describe();
  // No location: the data is had over the same connection, whatever name or proxy led here.
  const endpoint = new FlightEndpoint(new Ticket(dataset.name));
  return new FlightInfo(encapsulate(schemaHeader), descriptor, [endpoint], {
    totalRecords: rows,
    totalBytes: bytes,
    ordered: true,
  });
}

function nameOf(descriptor: FlightDescriptor): string {
  if (descriptor.type === 'CMD') return utf8.decode(descriptor.command);
  const [name] = descriptor.path ?? [];
  if (name === undefined || descriptor.path?.length !== 1 || name === '') {
    throw new FlightInvalidArgumentError(
      'a dataset is named by a path of one element, or by its name as a command',
    );
  }
  return name;
}
