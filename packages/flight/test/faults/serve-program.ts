/**
 * A server as a program of its own. DoGet sends as many messages of 1 MiB as its ticket says, each in fresh memory;
 * the action `facts` tells what is going on.
 *
 *     node serve-program.js [location] [keepaliveMs]
 */

import { FlightServer } from '../../src/server/flight-server.ts';
import { RawIpcStream } from '../../src/stream/raw-ipc-stream.ts';

const [, , location = 'grpc+tcp://127.0.0.1:0', keepaliveMs] = process.argv;
let made = 0;
let stopped = 0;
const server = new FlightServer(
  {
    doGet: ({ ticket }) => {
      const count = Number(Buffer.from(ticket).toString());
      return new RawIpcStream(function* () {
        try {
          for (let index = 0; index < count; index += 1) {
            made += 1;
            yield { header: new Uint8Array(16), body: Buffer.allocUnsafeSlow(1024 * 1024).fill(index) };
          }
        } finally {
          stopped += 1;
        }
      });
    },
    doAction: () =>
      JSON.stringify({
        made,
        stopped,
        runningCalls: server.runningCalls,
        connections: server.connections,
        rss: process.memoryUsage().rss,
        mostRss: process.resourceUsage().maxRSS * 1024,
      }),
  },
  {
    signals: true,
    // On a busy machine an honest reader may be silent for longer than a test of keepalive likes to wait.
    ...(keepaliveMs !== undefined && {
      connections: { keepaliveMs: Number(keepaliveMs), keepaliveTimeoutMs: Number(keepaliveMs) },
    }),
  },
);
await server.listen(location);
process.stdout.write(`${server.locations[0]?.uri}\n`);
await server.wait();
