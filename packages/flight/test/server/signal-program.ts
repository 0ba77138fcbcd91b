/** A server as a program of its own, for the test that sends it signals. */

import { FlightServer } from '../../src/server/flight-server.ts';

const server = new FlightServer(
  {
    doAction: async () => {
      process.stdout.write('call has begun\n');
      // long enough for the signal to come first
      await new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
      return 'finished although the server was told to end';
    },
  },
  { signals: true },
);
await server.listen();
process.stdout.write(`${server.locations[0]?.uri}\n`);
await server.wait();
process.stdout.write('drained\n');
