import type { DataServer } from '@peregrine/server/serve';
import { defaultLocation } from '../location.ts';
import { formatBytes, formatCount } from './numbers.ts';
import { renderTextTable, screenOf } from './text-table.ts';

type Table = Pick<
  ReturnType<DataServer['files']['tables']>[number],
  'bytes' | 'name' | 'origin' | 'problem' | 'rows'
>;

/** What the banner tells of a server. */
export type BannerFacts = Pick<DataServer, 'httpUrl' | 'location'> & {
  readonly engine: Pick<DataServer['engine'], 'info' | 'state'>;
  readonly files: Pick<DataServer['files'], 'problems'> & { tables(): readonly Table[] };
};

/** What a person sees when the server is ready: what it serves, what it cannot read, and lines to paste that work. */
export function serveBanner({ engine, files, httpUrl, location }: BannerFacts): string {
  const problems = files.problems();
  const tables = files.tables();
  const sql =
    engine.state.kind === 'ready'
      ? `SQL by ${engine.info.vendor} ${engine.info.vendorVersion}`
      : `no SQL: ${engine.state.reason}`;
  const where = `Arrow Flight on ${location}${httpUrl === undefined ? '' : `, HTTP on ${httpUrl}`}`;
  const cannot = problems
    .map(({ origin, message }) => `cannot read ${origin}: ${shortened(message)}\n`)
    .join('');
  const readable = tables.filter(({ problem }) => problem === undefined);
  // A name that needs no quotes is the better example.
  const example = readable.find(({ name }) => isPlain(name))?.name ?? readable[0]?.name;
  return [
    `Peregrine serves ${where} (${sql})\n`,
    tableOf(tables),
    ...(cannot === '' ? [] : [cannot]),
    ...linesToPaste(reachable(location), httpUrl, example, engine.state.kind === 'ready'),
    'Ctrl-C stops the server.\n',
  ].join('\n');
}

/** Behind the first paragraph DuckDB lists all settings of its reader. */
function shortened(message: string): string {
  const [first = ''] = message.trim().split(/\n\s*\n/);
  return first.replaceAll(/\n\s*/g, '\n  ');
}

function tableOf(tables: readonly Table[]): string {
  if (tables.length === 0) {
    return 'No datasets yet: send some with peregrine put, or start with a folder of data.\n';
  }
  const rows = tables.map(({ name, rows: count, bytes, origin }) => [
    name,
    count === undefined ? '' : formatCount(Number(count)),
    bytes === undefined ? '' : formatBytes(Number(bytes)),
    origin,
  ]);
  return renderTextTable(['dataset', 'rows', 'size', 'from'], rows, {
    rightAligned: [false, true, true, false],
    screen: screenOf(process.stderr),
  });
}

function linesToPaste(
  location: string,
  httpUrl: string | undefined,
  example: string | undefined,
  hasSql: boolean,
): string[] {
  const grpc = location.replace('grpc+tcp://', 'grpc://');
  // A server without datasets answers SQL all the same.
  const ticket = example ?? (hasSql ? 'SELECT 42 AS answer' : 'NAME');
  const query =
    example === undefined ? ticket : `FROM ${isPlain(example) ? example : quoted(example)} LIMIT 10`;
  const get =
    example === undefined && hasSql
      ? `npx peregrine get ${grpc} --command ${shellWord(ticket)}`
      : `npx peregrine get ${grpc} ${shellWord(ticket)}`;
  const http =
    httpUrl === undefined || !hasSql
      ? []
      : [
          `Browser     ${reachable(httpUrl)}/?query=${encodeURIComponent(query)}\n` +
            `Terminal    curl ${reachable(httpUrl)} -d ${shellWord(`${query} FORMAT Markdown`)}\n` +
            `            ${get}\n` +
            `            npx peregrine sql${grpc === defaultLocation ? '' : ` ${grpc}`}\n`,
        ];
  return [
    `Python      import pyarrow.flight as flight
            client = flight.connect("${grpc}")
            table = client.do_get(flight.Ticket(${JSON.stringify(ticket)})).read_all()
`,
    `TypeScript  import { connect } from '@peregrine/flight';
            const client = connect('${grpc}');
            const table = await client.doGet(${literal(ticket)}).readAll();
`,
    ...(hasSql
      ? [`JDBC        jdbc:arrow-flight-sql://${grpc.slice('grpc://'.length)}/?useEncryption=false\n`]
      : []),
    ...(http.length > 0 ? http : [`Terminal    ${get}\n`]),
  ];
}

/** An address that can be called: "all addresses of this machine" is none. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function isPlain(name: string): boolean {
  return /^[a-z_]\w*$/i.test(name);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string of TypeScript. */
function literal(text: string): string {
  return /^[\w .,:;/*=<>()-]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
}

/** One word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
