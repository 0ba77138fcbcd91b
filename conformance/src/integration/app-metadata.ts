import assert from 'node:assert/strict';
import {
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  FlightInvalidArgumentError,
  connect,
} from '@peregrine/flight';
import { Schema } from 'apache-arrow';
import { text } from './expect.ts';
import type { Scenario } from './scenario.ts';

/** Bytes of the application on a FlightInfo and its endpoint. */
export const appMetadata: Scenario = {
  name: 'app_metadata_flight_info_endpoint',
  server: () => ({
    handlers: {
      getFlightInfo: (descriptor) => {
        if (descriptor.type !== 'CMD') throw new FlightInvalidArgumentError('a command descriptor is needed');
        const endpoint = new FlightEndpoint(new Uint8Array(0), [], { appMetadata: descriptor.command });
        return new FlightInfo(new Schema([]), descriptor, [endpoint], { appMetadata: descriptor.command });
      },
    },
  }),
  client: async (location) => {
    await using client = connect(location);
    const info = await client.getFlightInfo(FlightDescriptor.forCommand('foobar'));
    assert.equal(text(info.appMetadata), 'foobar');
    assert.deepEqual(
      info.endpoints.map((endpoint) => text(endpoint.appMetadata)),
      ['foobar'],
    );
  },
};
