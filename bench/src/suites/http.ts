import { startProxy } from '../counting-proxy.ts';
import { lineitem } from '../inputs.ts';
import { compare, median } from '../measure.ts';
import {
  type Program,
  processorSeconds,
  python,
  rowReader,
  runForResult,
  startPeregrine,
  startServer,
} from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

const everything = 'from lineitem';

/** What makes an object of each row is slow: it gets a part of the table, which takes it as long as the others need for all. */
const someRows = 'from lineitem limit 300000';

/** Bytes of a row of lineitem as Arrow: 1,036,848,884 of 6,001,215 rows, as both engines give it. */
const arrowBytes = 172.77;

/** A way from a server to a client. */
interface Way {
  readonly name: string;
  readonly server: { readonly pid: number };
  readonly address: URL;
  /** The client, at an address. */
  readonly client: (address: URL) => Program;
}

interface Run {
  readonly speed: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
}

/**
 * The rows of a query in each form in which they are sent today, from the servers that people write and from ours: JSON,
 * Parquet, protobuf and Arrow. All ways take turns. Then the same server of ours by HTTP against Flight.
 */
export async function http({ rounds, onResult }: SuiteOptions): Promise<void> {
  const file = await lineitem();
  const ours = await startPeregrine(file);
  const rest = await startServer(python('rest_server.py', file));
  const grpc = await startServer(python('grpc_server.py', file));
  const flight = await startServer(python('sql_server.py', file));
  const overHttp =
    (kind: string, path: string, sql: string) =>
    (address: URL): Program =>
      python('http_client.py', kind, `http://${address.host}${path}`, sql);
  const overFlight =
    (sql: string) =>
    (address: URL): Program =>
      python('sql_client.py', `grpc://${address.host}`, sql);
  const overGrpc = ({ host }: URL): Program => python('grpc_client.py', host, someRows);
  const restAt = new URL(rest.address);
  const oursAt = new URL(ours.http);
  const oursFlightAt = new URL(ours.flight.replace('grpc+tcp', 'http'));
  const way = (name: string, server: Way['server'], address: URL, client: Way['client']): Way => ({
    name,
    server,
    address,
    client,
  });
  const jsonRows = '/?default_format=JSONEachRow';
  const ways = {
    restJson: way('REST + JSON, FastAPI', rest, restAt, overHttp('json', '/json', someRows)),
    restToJson: way(
      "REST + JSON, FastAPI and DuckDB's to_json",
      rest,
      restAt,
      overHttp('json', '/to_json', someRows),
    ),
    oursJson: way('REST + JSON, ours', ours, oursAt, overHttp('json', jsonRows, someRows)),
    restParquet: way('REST + Parquet, FastAPI', rest, restAt, overHttp('parquet', '/parquet', everything)),
    oursParquet: way(
      'REST + Parquet, ours',
      ours,
      oursAt,
      overHttp('parquet', '/?default_format=Parquet', everything),
    ),
    protobuf: way('gRPC + protobuf, grpcio', grpc, new URL(`http://${grpc.address}`), overGrpc),
    oursArrow: way(
      'REST + Arrow stream, ours',
      ours,
      oursAt,
      overHttp('arrow', '/?default_format=ArrowStream', everything),
    ),
    flight: way(
      'Arrow Flight, pyarrow',
      flight,
      new URL(flight.address.replace('grpc', 'http')),
      overFlight(everything),
    ),
    oursFlight: way('Arrow Flight, ours', ours, oursFlightAt, overFlight(everything)),
  };
  try {
    const list = Object.values(ways);
    const wire = new Map<Way, number>();
    for (const each of list) wire.set(each, await wireBytes(each));
    const runs = new Map<Way, Run[]>(list.map((each) => [each, []]));
    for (let round = 0; round < rounds; round++) {
      for (const each of list) runs.get(each)?.push(await measure(each));
    }
    const of = (each: Way, figure: keyof Run): number[] => (runs.get(each) ?? []).map((run) => run[figure]);
    for (const each of list) {
      onResult({
        what: each.name,
        unit: 'million rows/s',
        runs: of(each, 'speed'),
        arrowBytes,
        wireBytes: wire.get(each) ?? Number.NaN,
        serverCpu: median(of(each, 'serverCpu')),
        clientCpu: median(of(each, 'clientCpu')),
      });
    }
    for (const [one, other] of [
      [ways.oursJson, ways.restJson],
      [ways.oursJson, ways.restToJson],
      [ways.oursParquet, ways.restParquet],
      [ways.oursFlight, ways.protobuf],
      [ways.oursFlight, ways.flight],
    ] as const) {
      const [left, right] = [of(one, 'speed'), of(other, 'speed')];
      onResult({
        what: 'All ways in turns',
        unit: 'million rows/s',
        ours: { name: one.name, runs: left },
        peer: { name: other.name, runs: right },
        ratio: median(left.map((speed, i) => speed / (right[i] ?? Number.NaN))),
      });
    }
    onResult(
      await compare(
        everything,
        'million rows/s',
        rowReader('HTTP, Arrow stream', ways.oursArrow.client(oursAt)),
        rowReader('Flight', ways.oursFlight.client(oursFlightAt)),
        { rounds, must: 0.7, aim: 0.9 },
      ),
    );
  } finally {
    await Promise.all([ours.stop(), rest.stop(), grpc.stop(), flight.stop()]);
  }
}

/** Bytes a row of both directions, headers and frames with them. Also the run that is not counted. */
async function wireBytes({ address, client }: Way): Promise<number> {
  const proxy = await startProxy(address.hostname, Number(address.port));
  try {
    const { rows = 0 } = await runForResult(client(new URL(`http://127.0.0.1:${proxy.port}`)));
    return proxy.bytes / rows;
  } finally {
    await proxy.close();
  }
}

async function measure({ server, address, client }: Way): Promise<Run> {
  const before = processorSeconds(server.pid);
  const { rows = 0, seconds = Number.NaN, cpu = Number.NaN } = await runForResult(client(address));
  const million = rows / 1e6;
  return {
    speed: million / seconds,
    serverCpu: (processorSeconds(server.pid) - before) / million,
    clientCpu: cpu / million,
  };
}
