// Our client against servers of other implementations, which all serve the same tickets, descriptors and actions.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  Action,
  connect,
  FlightCancelledError,
  type FlightClient,
  type FlightClientOptions,
  FlightDescriptor,
  FlightError,
  FlightNotFoundError,
  FlightTimedOutError,
  Ticket,
} from '@peregrine/flight';
import { Int32, Int64, makeData, Table, Utf8, Dictionary, Vector, vectorFromArray } from 'apache-arrow';
import { type Peer, startPeer } from '../peers.ts';
import { type CertificateFiles, useCertificates } from './certificates.ts';

/** A server that can be started. */
export interface ForeignServer {
  readonly name: string;
  readonly program: string;
  /** What comes before `options`. */
  args(options: readonly string[]): readonly string[];
  /** The header `x-answer` of its answers. */
  readonly answerHeader: string;
  /** Which dictionaries it sends. */
  readonly dictionaries: readonly string[];
  /** Which codecs it sends bodies with. */
  readonly codecs: readonly ('lz4' | 'zstd')[];
  /** Whether it serves Unix sockets here. */
  readonly unix: boolean;
}

/** How a started server is reached. */
interface Reached {
  readonly client: FlightClient;
  readonly location: string;
  readonly peer: Peer;
}

const mebibytes = Number(process.env['PEREGRINE_FOREIGN_MIB'] ?? 256);
const largeRows = 131_072;
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

function numbers(...values: number[]): Table<{ n: Int32 }> {
  return new Table({ n: vectorFromArray(values, new Int32()) });
}

/** 1 MiB: the numbers that follow those of the batches before. */
function large(index: number): Table<{ n: Int64 }> {
  const values = BigInt64Array.from({ length: largeRows }, (_item, row) => BigInt(index * largeRows + row));
  return new Table({ n: new Vector([makeData({ type: new Int64(), data: values })]) });
}

async function ask(client: FlightClient, type: string, body = ''): Promise<string[]> {
  const results = await client.doAction(new Action(type, body)).toArray();
  return results.map((result) => text(result.body));
}

function column(table: { getChild(name: string): Vector | null } | undefined, name = 'n'): unknown[] {
  return [...(table?.getChild(name) ?? [])];
}

/** Waits until no stream without an end runs at the server. */
async function noneRuns(client: FlightClient): Promise<void> {
  while ((await ask(client, 'running'))[0] !== '0') await new Promise((resolve) => setTimeout(resolve, 20));
}

export function checkForeignServer(server: ForeignServer): void {
  describe(`our client against ${server.name}`, () => {
    const { files } = useCertificates();

    /** Starts a server for the checks of a group. */
    const withServer = (
      options: (files: CertificateFiles) => readonly string[],
      clientOptions: (files: CertificateFiles) => FlightClientOptions = () => ({}),
      locate: (port: string) => string = (port) => `grpc+tcp://127.0.0.1:${port}`,
    ): Reached => {
      let reached: Reached | undefined;
      before(async () => {
        const peer = startPeer(server.program, server.args(options(files())));
        const [, port = ''] = await peer.line(/^listening on (\d+)$/);
        const location = locate(port);
        reached = { peer, location, client: connect(location, { retry: false, ...clientOptions(files()) }) };
      });
      after(async () => {
        await reached?.client.close();
        await reached?.peer.stop();
      });
      const found = (): Reached => reached ?? assert.fail('the server did not start');
      return {
        get client() {
          return found().client;
        },
        get location() {
          return found().location;
        },
        get peer() {
          return found().peer;
        },
      };
    };

    describe('in the clear', () => {
      const context = withServer(() => []);

      it('asks for information', async () => {
        const { client } = context;
        const info = await client.getFlightInfo(FlightDescriptor.forPath('numbers'));
        assert.deepEqual([info.totalRecords, info.totalBytes, info.ordered], [3n, -1n, true]);
        assert.equal(text(info.appMetadata), 'of info');
        assert.equal(text(info.endpoints[0]?.appMetadata), 'of endpoint');
        assert.deepEqual(column(await client.readAll(info)), [1, 2, 3]);
        assert.deepEqual((await client.getSchema(FlightDescriptor.forPath('numbers'))).schema.names, ['n']);
        const flights = await client.listFlights().toArray();
        assert.deepEqual(
          flights.map(({ descriptor }) => descriptor?.path),
          [['numbers'], ['metadata']],
        );
        const [action] = await client.listActions().toArray();
        assert.deepEqual([action?.type, action?.description], ['echo', 'gives the body back']);
        await assert.rejects(client.getFlightInfo(FlightDescriptor.forPath('none')), FlightNotFoundError);
      });

      it('reads metadata with batches', async () => {
        const seen: unknown[] = [];
        for await (const { data, appMetadata } of context.client.doGet(new Ticket('metadata'))) {
          seen.push([column(data), text(appMetadata)]);
        }
        assert.deepEqual(seen, [
          [[0], '0'],
          [[1], '1'],
          [[2], '2'],
        ]);
      });

      it(`reads ${mebibytes} MiB, slowly now and then`, async () => {
        let next = 0n;
        let batches = 0;
        for await (const chunk of context.client.doGet(new Ticket(`large:${mebibytes}`)).scoped()) {
          const values: unknown = chunk.data?.getChildAt(0)?.data[0]?.values;
          assert.ok(values instanceof BigInt64Array);
          assert.equal(values[0], next);
          assert.equal(values.at(-1), next + BigInt(values.length - 1));
          next += BigInt(values.length);
          batches += 1;
          if (batches % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert.equal(next, BigInt(mebibytes * largeRows));
      });

      for (const codec of server.codecs) {
        it(`reads bodies compressed with ${codec}`, async () => {
          const table = await context.client.doGet(new Ticket(`compressed:${codec}`)).readAll();
          assert.equal(table.numRows, 4 * largeRows);
          assert.equal(table.getChild('n')?.get(3 * largeRows), BigInt(3 * largeRows));
        });
      }

      for (const kind of server.dictionaries) {
        it(`reads dictionaries: ${kind}`, async () => {
          const table = await context.client.doGet(new Ticket(`dictionary:${kind}`)).readAll();
          assert.deepEqual(column(table, 'd'), ['a', 'b', 'a', 'c', 'b', 'd', 'a']);
        });
      }

      it('puts batches with metadata, and reads the answers', async () => {
        const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('put'));
        await writer.begin(numbers().schema);
        for (const [values, metadata] of [
          [[1, 2], 'one'],
          [[3], 'two'],
        ] as const) {
          const [batch = assert.fail()] = numbers(...values).batches;
          await writer.writeWithMetadata(batch, metadata);
        }
        await writer.close();
        const answers: string[] = [];
        for await (const answer of reader) answers.push(text(answer).replace(/^\d+:/, ''));
        assert.deepEqual(answers.slice(-2), ['one', 'two']);
      });

      it('puts to a slow server, which holds it up', async () => {
        const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('slow'));
        let answers = 0;
        const answered = (async () => {
          for await (const answer of reader) if (/^[1-9]/.test(text(answer))) answers += 1;
        })();
        let ahead = 0;
        await writer.begin(large(0).schema);
        for (let index = 0; index < 96; index += 1) {
          await writer.writeTable(large(index));
          ahead = Math.max(ahead, index - answers);
        }
        await writer.close();
        await answered;
        assert.equal(answers, 96);
        assert.ok(ahead < 90, `${ahead} batches went out before their answers`);
      });

      it('exchanges dictionaries in bodies of every codec', async () => {
        const type = new Dictionary(new Utf8(), new Int32());
        const words = new Table({ d: vectorFromArray(['a', 'b', 'a', 'c'], type) });
        for (const compression of [undefined, ...server.codecs]) {
          const ipc = compression === undefined ? {} : { compression };
          const { reader, writer } = context.client.doExchange(FlightDescriptor.forCommand('echo'), { ipc });
          const written = (async () => {
            await writer.writeTable(words);
            await writer.close();
          })();
          assert.deepEqual(column(await reader.readAll(), 'd'), ['a', 'b', 'a', 'c']);
          await written;
        }
      });

      it('exchanges, and reads late', async () => {
        const count = 96;
        const { reader, writer } = context.client.doExchange(FlightDescriptor.forCommand('echo'));
        let written = 0;
        const writing = (async () => {
          await writer.begin(large(0).schema);
          for (; written < count; written += 1) await writer.writeTable(large(written));
          await writer.close();
        })();
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.ok(written < count, 'all of it was taken though nobody read');
        let rows = 0;
        for await (const { data } of reader) {
          if (data !== undefined && data.numRows > 0) {
            assert.equal(data.getChildAt(0)?.get(0), BigInt(rows));
            rows += data.numRows;
          }
        }
        await writing;
        assert.equal(rows, count * largeRows);
      });

      it('cancels, leaves loops, and runs out of time; the server hears of it', async () => {
        const { client } = context;
        for await (const { data } of client.doGet(new Ticket('endless'))) {
          assert.equal(data?.numRows, largeRows);
          break;
        }
        await noneRuns(client);
        const reader = client.doGet(new Ticket('endless'));
        await reader.readNext();
        reader.cancel('enough');
        await assert.rejects(reader.readNext(), FlightCancelledError);
        await noneRuns(client);
        const late = client.doGet(new Ticket('silent'), { timeoutMs: 500 });
        await assert.rejects(late.readAll(), FlightTimedOutError);
        await noneRuns(client);
        const controller = new AbortController();
        const aborted = assert.rejects(
          client.doGet(new Ticket('silent'), { signal: controller.signal }).readAll(),
          FlightCancelledError,
        );
        controller.abort();
        await aborted;
        await noneRuns(client);
      });

      it('sees codes and details of errors, before and after data', async () => {
        const { client } = context;
        await assert.rejects(
          ask(client, 'fail', '5'),
          (error) =>
            error instanceof FlightNotFoundError &&
            /failed as asked/.test(error.message) &&
            Buffer.from([1, 0, 255]).equals(error.extraInfo ?? Buffer.alloc(0)),
        );
        await assert.rejects(ask(client, 'what'), { code: 'UNIMPLEMENTED' });
        const seen: unknown[] = [];
        await assert.rejects(
          async () => {
            for await (const { data } of client.doGet(new Ticket('midway'))) seen.push(...column(data));
          },
          (error) => error instanceof FlightError && /broke midway/.test(error.message),
        );
        assert.deepEqual(seen, [1, 2]);
      });

      it('sends headers, repeated and binary, and shows those of the answer to middleware', async () => {
        const { client } = context;
        const headers = [
          ['x-test', 'one'],
          ['x-test', 'two'],
          ['x-test-bin', Uint8Array.of(0, 255)],
        ] as const;
        const seen = await client.doAction(new Action('headers'), { headers }).toArray();
        assert.deepEqual(
          seen.flatMap(({ body }) => text(body).split(',')),
          ['one', 'two'],
        );
        const [binary] = await client.doAction(new Action('binary'), { headers }).toArray();
        assert.deepEqual([...(binary?.body ?? [])], [0, 255]);
        const received: (string | Uint8Array | undefined)[] = [];
        const listening = {
          startCall: () => ({
            receivedHeaders: (all: { get(name: string): string | Uint8Array | undefined }) => {
              received.push(all.get('x-answer'));
            },
          }),
        };
        await using other = connect(context.location, { middleware: [listening] });
        assert.deepEqual(await ask(other, 'echo', 'hello'), ['hello']);
        assert.ok(received.includes(server.answerHeader), received.join(' '));
      });

      it('runs many calls at once, and many small answers in one', async () => {
        const { client } = context;
        const tables = await Promise.all(
          Array.from({ length: 200 }, () => client.doGet(new Ticket('numbers')).readAll()),
        );
        for (const table of tables) assert.deepEqual(column(table), [1, 2, 3]);
        assert.equal((await ask(client, 'count', '20000')).length, 20_000);
      });
    });

    describe('that stops', () => {
      const context = withServer(() => []);

      it('lets a stream come to its end, and takes no call after it', async () => {
        const { client } = context;
        const rows: unknown[] = [];
        for await (const { data } of client.doGet(new Ticket('drain'))) rows.push(...column(data));
        assert.equal(rows.length, 200);
        await context.peer.exit.catch(() => undefined);
        await assert.rejects(ask(client, 'echo'), { code: 'UNAVAILABLE' });
      });
    });

    describe('with client certificates', () => {
      const context = withServer(
        ({ serverCert, serverKey, ca }) => ['--cert', serverCert, '--key', serverKey, '--client-ca', ca],
        ({ authority }) => ({
          tls: {
            rootCertificates: authority.certificate.cert,
            clientCertificate: authority.issueClient({ commonName: 'alice' }),
          },
        }),
        (port) => `grpc+tls://localhost:${port}`,
      );

      it('serves', async () => {
        assert.deepEqual(await ask(context.client, 'echo', 'hello'), ['hello']);
        assert.equal((await context.client.doGet(new Ticket('large:32')).readAll()).numRows, 32 * largeRows);
      });

      it('refuses a client without', async () => {
        const { authority } = files();
        await using other = connect(context.location, {
          retry: false,
          tls: { rootCertificates: authority.certificate.cert },
        });
        await assert.rejects(ask(other, 'echo', 'hello'), { code: 'UNAVAILABLE' });
      });
    });

    if (server.unix) {
      describe('on a Unix socket', () => {
        const path = join(tmpdir(), `pf-${process.pid}-${server.name.replaceAll(/\W/g, '')}.sock`);
        const context = withServer(
          () => ['--unix', path],
          undefined,
          () => `grpc+unix://${path}`,
        );
        after(() => rm(path, { force: true }));

        it('serves', async () => {
          assert.deepEqual(await ask(context.client, 'echo', 'hello'), ['hello']);
          assert.equal(
            (await context.client.doGet(new Ticket('large:32')).readAll()).numRows,
            32 * largeRows,
          );
        });
      });
    }
  });
}
