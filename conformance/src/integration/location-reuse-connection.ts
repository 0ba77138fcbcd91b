import assert from 'node:assert/strict';
import { FlightDescriptor, FlightEndpoint, FlightInfo, Location, connect } from '@peregrine/flight';
import { Schema } from 'apache-arrow';
import type { Scenario } from './scenario.ts';

/** The location that says: the connection that you have. */
export const locationReuseConnection: Scenario = {
  name: 'location:reuse_connection',
  server: () => ({
    handlers: {
      getFlightInfo: (descriptor) =>
        new FlightInfo(new Schema([]), descriptor, [
          new FlightEndpoint('reuse', [Location.reuseConnection()]),
        ]),
    },
  }),
  client: async (location) => {
    await using client = connect(location);
    const info = await client.getFlightInfo(FlightDescriptor.forCommand('reuse'));
    assert.equal(info.endpoints.length, 1);
    assert.deepEqual(
      info.endpoints[0]?.locations.map(({ uri }) => uri),
      ['arrow-flight-reuse-connection://?'],
    );
  },
};
