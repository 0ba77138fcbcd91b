import { FlightServer } from '@peregrine/flight';
import { type DatasetStore, createDatasetStore } from './datasets/dataset.ts';
import { createFileDataset } from './datasets/file-dataset.ts';
import { findDatasetFiles } from './datasets/folder.ts';
import { isLoopback } from './loopback.ts';
import { createFlightService } from './service/flight-service.ts';

/** How a data server runs. */
export interface DataServerOptions {
  /** Arrow IPC and Feather files, and folders of them. Default: none, the server begins empty. */
  readonly paths?: readonly string[] | undefined;
  /** Address to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Port of Flight; 0 takes a free one. Default: 8815. */
  readonly flightPort?: number | undefined;
  /** Allows to listen beyond this machine without TLS. Default: false, and it is refused. */
  readonly insecure?: boolean | undefined;
}

/** A data server that runs. */
export interface DataServer {
  /** `grpc+tcp://host:port`. */
  readonly location: string;
  readonly store: DatasetStore;
  /** Lets running calls finish, then ends. */
  shutdown(): Promise<void>;
  /** Resolves when the server has ended. */
  wait(): Promise<void>;
}

/** The port that Flight servers use by habit. */
export const defaultFlightPort = 8815;

/** An address that is not this machine alone was asked for, without TLS and without saying so. */
export class InsecureListenerError extends Error {
  override readonly name: string = 'InsecureListenerError';
}

/**
 * Serves datasets over Flight.
 *
 * @throws FlightNotFoundError or FlightDataError when a path is not there or not an Arrow file;
 *   InsecureListenerError for an address that others can reach; Node's error when the port is taken
 */
export async function serveData(options: DataServerOptions = {}): Promise<DataServer> {
  const host = options.host ?? '127.0.0.1';
  if (!isLoopback(host) && options.insecure !== true) {
    throw new InsecureListenerError(
      `${host} can be reached from other machines and there is no TLS: listen on 127.0.0.1, or say --insecure`,
    );
  }
  const store = createDatasetStore();
  for (const { name, path } of await findDatasetFiles(options.paths ?? [])) {
    const dataset = createFileDataset(name, path);
    // Looked at now, so that a broken file is told at the start and not to a client.
    await dataset.describe();
    store.put(dataset);
  }
  const server = new FlightServer(createFlightService(store, { acceptAnyLogin: true }));
  await server.listen(
    `grpc+tcp://${host.includes(':') ? `[${host}]` : host}:${options.flightPort ?? defaultFlightPort}`,
  );
  return {
    location: server.locations[0]?.uri ?? '',
    store,
    shutdown: () => server.shutdown(),
    wait: () => server.wait(),
  };
}
