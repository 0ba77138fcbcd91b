/** Round trips with grpc-js: grpc-js-client.js HOST:PORT IN_FLIGHT. Prints `{"calls", "seconds"}`. */
import { Client, credentials } from '@grpc/grpc-js';
import { roundTrips } from './round-trips.ts';

const [target = '', inFlight = '1'] = process.argv.slice(2);
const bytes = (value: Buffer): Buffer => value;
const client = new Client(target, credentials.createInsecure());
const action = Buffer.from([0x0a, 4, 0x70, 0x69, 0x6e, 0x67]);
await roundTrips(
  Number(inFlight),
  () =>
    new Promise((resolve, reject) => {
      const call = client.makeServerStreamRequest(
        '/arrow.flight.protocol.FlightService/DoAction',
        bytes,
        bytes,
        action,
      );
      call.on('data', () => undefined);
      call.on('end', () => resolve());
      call.on('error', reject);
    }),
);
client.close();
