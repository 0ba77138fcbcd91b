import { type Dataset, InsecureListenerError, defaultFlightPort, serveData } from '@peregrine/server';
import { UsageError, exitCodes } from '../exit-codes.ts';
import { formatBytes, formatCount } from '../output/numbers.ts';
import { renderTextTable } from '../output/text-table.ts';

/** Options of `peregrine serve`, as the command line gives them. */
export interface ServeFlags {
  readonly flightPort: string;
  readonly host: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

/** The default of `--flight-port`, as text. */
export const defaultPortText: string = String(defaultFlightPort);

/** Serves files until SIGTERM or SIGINT. */
export async function serve(paths: readonly string[], flags: ServeFlags): Promise<void> {
  const flightPort = parsePort(flags.flightPort);
  const server = await serveData({ paths, host: flags.host, flightPort, insecure: flags.insecure }).catch(
    (error: unknown) => {
      throw explain(error, flags.host, flightPort);
    },
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(exitCodes.interrupted);
    stopping = true;
    process.stderr.write('peregrine: finishing running calls; again to stop at once\n');
    void server.shutdown();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const datasets = server.store.list();
  if (flags.json === true) {
    const ready = { event: 'ready', flight: server.location, datasets: datasets.length };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  } else {
    process.stderr.write(await banner(server.location, datasets));
  }
  await server.wait();
}

async function banner(location: string, datasets: readonly Dataset[]): Promise<string> {
  const grpc = location.replace('grpc+tcp://', 'grpc://');
  const rows = await Promise.all(
    datasets.map(async (dataset) => {
      const { rows: count, bytes } = await dataset.describe();
      return [dataset.name, formatCount(count), formatBytes(bytes), dataset.origin];
    }),
  );
  const table =
    rows.length === 0
      ? 'No datasets yet: send some with peregrine put, or start with a folder of Arrow files.\n'
      : renderTextTable(['dataset', 'rows', 'size', 'from'], rows, [false, true, true, false]);
  const example = datasets[0]?.name ?? 'NAME';
  return `Peregrine serves Arrow Flight on ${location}

${table}
Python      import pyarrow.flight as flight
            client = flight.connect("${grpc}")
            client.do_get(flight.Ticket(b"${example}")).read_all()

TypeScript  import { Ticket, connect } from '@peregrine/flight';
            const client = connect('${grpc}');
            const table = await client.doGet(new Ticket('${example}')).readAll();

Terminal    npx peregrine get ${grpc} ${example}

Ctrl-C stops the server.
`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`--flight-port ${text} is not a port: 0 to 65535`);
  return port;
}

/** Says what to do about the troubles that people meet at the start. */
function explain(error: unknown, host: string, port: number): unknown {
  if (error instanceof InsecureListenerError) return new UsageError(error.message, { cause: error });
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? cause.code : undefined;
    if (code === 'EADDRINUSE') {
      return new UsageError(
        `port ${port} on ${host} is taken: stop the other server, or take another port with --flight-port (0: any)`,
        { cause: error },
      );
    }
    if (code === 'EACCES') {
      return new UsageError(`port ${port} may not be used by this user: take one above 1023`, {
        cause: error,
      });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      return new UsageError(`${host} is no address of this machine: give --host 127.0.0.1`, { cause: error });
    }
  }
  return error;
}
