/** Round trips with our client: actions-client.js LOCATION IN_FLIGHT. Prints `{"calls", "seconds"}`. */
import { Action, connect } from '@peregrine/flight';
import { roundTrips } from './round-trips.ts';

const [location = '', inFlight = '1'] = process.argv.slice(2);
const client = connect(location);
const action = new Action('ping');
await roundTrips(Number(inFlight), async () => {
  await client.doAction(action).toArray();
});
await client.close();
