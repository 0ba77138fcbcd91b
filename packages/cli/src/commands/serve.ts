import { type DataServer, InsecureListenerError, serveData } from '@peregrine/server';
import { type FlagValue, SettingsError, loadSettings } from '@peregrine/server/settings';
import { UsageError, exitCodes } from '../exit-codes.ts';
import { formatBytes, formatCount } from '../output/numbers.ts';
import { renderTextTable } from '../output/text-table.ts';

/** Serves files, buckets and a database until SIGTERM or SIGINT. */
export async function serve(
  paths: readonly string[],
  flags: Readonly<Record<string, FlagValue>>,
  version: string,
): Promise<void> {
  const server = await start(paths, flags, version);
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(exitCodes.interrupted);
    stopping = true;
    process.stderr.write('peregrine: finishing running calls; again to stop at once\n');
    void server.shutdown();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (server.json) {
    const ready = {
      event: 'ready',
      flight: server.location,
      http: server.httpUrl,
      datasets: server.files.tables().length,
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  } else {
    process.stderr.write(banner(server));
  }
  await server.wait();
}

async function start(
  paths: readonly string[],
  flags: Readonly<Record<string, FlagValue>>,
  version: string,
): Promise<DataServer & { readonly json: boolean }> {
  try {
    const settings = await loadSettings({ flags: { ...flags, data: paths } });
    const server = await serveData({
      ...settings,
      version,
      onError: (error, where) => {
        process.stderr.write(
          `peregrine: ${where}: ${error instanceof Error ? error.message : String(error)}\n`,
        );
      },
    });
    return { ...server, json: settings.json };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof InsecureListenerError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

function banner({ engine, files, httpUrl, location }: DataServer): string {
  const grpc = location.replace('grpc+tcp://', 'grpc://');
  const tables = files.tables();
  const rows = tables.map(({ name, rows: count, bytes, origin }) => [
    name,
    count === undefined ? '' : formatCount(Number(count)),
    bytes === undefined ? '' : formatBytes(Number(bytes)),
    origin,
  ]);
  const table =
    rows.length === 0
      ? 'No datasets yet: send some with peregrine put, or start with a folder of data.\n'
      : renderTextTable(['dataset', 'rows', 'size', 'from'], rows, [false, true, true, false]);
  const example = tables[0]?.name ?? 'NAME';
  const from = `FROM ${/^[a-z_]\w*$/i.test(example) ? example : `"${example}"`} LIMIT 10`;
  const sql =
    engine.state.kind === 'ready'
      ? `SQL by ${engine.info.vendor} ${engine.info.vendorVersion}`
      : `no SQL: ${engine.state.reason}`;
  const problems = files.problems().map(({ origin, message }) => `cannot read ${origin}: ${message}\n`);
  const curl =
    httpUrl === undefined
      ? ''
      : `Browser     ${httpUrl}/?query=${encodeURIComponent(from)}
Terminal    curl ${httpUrl} -d '${from} FORMAT Markdown'
`;
  return `Peregrine serves Arrow Flight on ${location}${httpUrl === undefined ? '' : `, HTTP on ${httpUrl}`} (${sql})

${table}${problems.length === 0 ? '' : `\n${problems.join('')}`}
Python      import pyarrow.flight as flight
            client = flight.connect("${grpc}")
            client.do_get(flight.Ticket(b"${example}")).read_all()

TypeScript  import { Ticket, connect } from '@peregrine/flight';
            const client = connect('${grpc}');
            const table = await client.doGet(new Ticket('${example}')).readAll();

${curl}            npx peregrine get ${grpc} ${example}

Ctrl-C stops the server.
`;
}
