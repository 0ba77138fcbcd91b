// What a server makes of requests that arrive in pieces, or not to their end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import { FlightUnavailableError } from '../../src/errors.ts';
import { FlightDescriptor } from '../../src/model/flight-descriptor.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import { type Faults, startFaultProxy } from '../client/fault-proxy.ts';
import { numbers, valuesOf } from '../client/flight-data.ts';
import { until } from '../server/fixture.ts';

const table = numbers([1, 2, 3], [4, 5]);

/** A server that keeps what is put, and how its handler ended. */
function storingServer(): { server: FlightServer; stored: unknown[][]; failed: unknown[] } {
  const stored: unknown[][] = [];
  const failed: unknown[] = [];
  const server = new FlightServer(
    {
      async doPut(_descriptor, reader, writer) {
        const values = valuesOf(await reader.readAll());
        stored.push(values);
        await writer.write('stored');
      },
    },
    { onCallError: (error) => void failed.push(error.code) },
  );
  return { server, stored, failed };
}

async function put(port: number, faults: Partial<Faults>): Promise<number> {
  await using proxy = await startFaultProxy(port, faults);
  await using client = connect(`grpc://127.0.0.1:${proxy.port}`, { retry: false });
  const { writer } = client.doPut(FlightDescriptor.forPath('x'));
  try {
    await writer.writeTable(table);
  } finally {
    await writer.close();
  }
  return proxy.fromClient;
}

describe('a request that is cut', () => {
  it('into single bytes is read like any other', async () => {
    const { server, stored } = storingServer();
    await server.listen();
    await put(server.port, { byteByByte: true });
    assert.deepEqual(stored, [[1, 2, 3, 4, 5]]);
    await server.shutdown({ graceMs: 0 });
  });

  it('off after any byte is kept whole or not at all, and leaves nothing in the server', async () => {
    const { server, stored, failed } = storingServer();
    await server.listen();
    const total = await put(server.port, {});
    assert.ok(total > 500, `${total} bytes`);
    const cut = async (cutClientAfter: number): Promise<void> => {
      try {
        await put(server.port, { cutClientAfter });
      } catch (error) {
        assert.ok(error instanceof FlightUnavailableError, String(error));
      }
    };
    const concurrency = 8;
    for (let from = 0; from < total; from += concurrency) {
      await Promise.all(Array.from({ length: concurrency }, (_, index) => cut(from + index)));
    }
    await until(() => server.runningCalls === 0 && server.connections === 0, 'everything is over');
    for (const values of stored) assert.deepEqual(values, [1, 2, 3, 4, 5]);
    // the end of the stream comes with the last bytes of a request
    assert.ok(stored.length < 100, `${stored.length} of ${total} were complete`);
    assert.ok(failed.length > 300, `${failed.length} of ${total} handlers heard of it`);
    assert.deepEqual([...new Set(failed)], ['CANCELLED']);
    await put(server.port, {});
    assert.deepEqual(stored.at(-1), [1, 2, 3, 4, 5]);
    await server.shutdown({ graceMs: 0 });
  });
});
