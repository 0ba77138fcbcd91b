// Calls that are tried again while a server is busy, and a circuit breaker for one that is gone.
import {
  connect,
  FlightDescriptor,
  FlightError,
  FlightInfo,
  FlightServer,
  FlightUnavailableError,
} from '@peregrine/flight';
import { Field, Int32, Schema } from 'apache-arrow';

const schema = new Schema([new Field('n', new Int32(), false)]);
let asked = 0;

const server = new FlightServer({
  getFlightInfo(descriptor) {
    asked += 1;
    if (asked < 3) throw new FlightUnavailableError('starting up');
    return new FlightInfo(schema, descriptor, []);
  },
});
await server.listen('grpc+tcp://127.0.0.1:0');

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`, {
  retry: { maxAttempts: 4, initialDelayMs: 20, maxDelayMs: 200 },
  circuitBreaker: {
    failureThreshold: 3,
    openMs: 60_000,
    onStateChange: (_location, state) => console.log(`circuit: ${state}`),
  },
});
const descriptor = FlightDescriptor.forPath('numbers');
await client.getFlightInfo(descriptor);
console.log(`answered after ${asked} tries`);

await server.shutdown();
for (let call = 1; call <= 3; call++) {
  try {
    await client.getFlightInfo(descriptor);
  } catch (error) {
    // The last ones do not even try to connect.
    console.log(`call ${call}: ${error instanceof FlightError ? error.code : String(error)}`);
  }
}
await client.close();
