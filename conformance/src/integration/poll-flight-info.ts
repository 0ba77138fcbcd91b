import assert from 'node:assert/strict';
import { FlightDescriptor, FlightEndpoint, FlightInfo, PollInfo, connect } from '@peregrine/flight';
import { Uint32 } from 'apache-arrow';
import { numbersSchema, text } from './expect.ts';
import type { Scenario } from './scenario.ts';

/** A long query: the first answer says how to go on, the second that it is done. */
export const pollFlightInfo: Scenario = {
  name: 'poll_flight_info',
  server: () => ({
    handlers: {
      pollFlightInfo: (descriptor) => {
        const info = new FlightInfo(numbersSchema(new Uint32()), descriptor, [
          new FlightEndpoint('long-running query'),
        ]);
        if (descriptor.type === 'CMD' && text(descriptor.command) === 'poll') {
          return new PollInfo(info, undefined, { progress: 1 });
        }
        return new PollInfo(info, FlightDescriptor.forCommand('poll'), {
          progress: 0.1,
          expirationTime: new Date(Date.now() + 10_000),
        });
      },
    },
  }),
  client: async (location) => {
    await using client = connect(location);
    const first = await client.pollFlightInfo(FlightDescriptor.forCommand('heavy query'));
    assert.ok(first.info !== undefined);
    assert.ok(first.descriptor !== undefined);
    assert.equal(first.progress, 0.1);
    assert.ok(first.expirationTime !== undefined && first.expirationTime.getTime() > Date.now());
    const last = await client.pollFlightInfo(first.descriptor);
    assert.ok(last.info !== undefined);
    assert.equal(last.descriptor, undefined);
    assert.equal(last.progress, 1);
    assert.equal(last.expirationTime, undefined);
  },
};
