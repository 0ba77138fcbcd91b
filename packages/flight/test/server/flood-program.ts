/** A server as a program of its own that generates 10 GB, each message in fresh memory; tells how much memory it holds. */

import { FlightServer } from '../../src/server/flight-server.ts';
import { RawIpcStream } from '../../src/stream/raw-ipc-stream.ts';

const server = new FlightServer(
  {
    doGet: () =>
      new RawIpcStream(function* () {
        for (let index = 0; index < 10_240; index += 1) {
          yield { header: new Uint8Array(16), body: new Uint8Array(1024 * 1024).fill(index) };
        }
      }),
    doAction: () => String(process.memoryUsage().rss),
  },
  { signals: true },
);
await server.listen();
process.stdout.write(`${server.locations[0]?.uri}\n`);
await server.wait();
