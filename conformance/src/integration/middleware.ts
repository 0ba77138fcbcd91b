import assert from 'node:assert/strict';
import { FlightDescriptor, FlightEndpoint, FlightInfo, FlightServerError, connect } from '@peregrine/flight';
import type { ClientMiddlewareFactory, ServerMiddlewareFactory } from '@peregrine/flight/middleware';
import { Schema } from 'apache-arrow';
import { refused, text } from './expect.ts';
import type { Scenario } from './scenario.ts';

const header = 'x-middleware';
const expected = 'expected value';

const echo: ServerMiddlewareFactory = {
  startCall: (_info, headers) => {
    const value = headers.get(header);
    return { sendingHeaders: () => ({ [header]: value ?? '' }) };
  },
};

/** Client middleware sends a header; server middleware sends it back, also with calls that fail. */
export const middleware: Scenario = {
  name: 'middleware',
  server: () => ({
    handlers: {
      getFlightInfo: (descriptor) => {
        if (descriptor.type !== 'CMD' || text(descriptor.command) !== 'success') {
          throw new FlightServerError('Unknown');
        }
        const endpoint = new FlightEndpoint('foo', ['grpc+tcp://localhost:10010']);
        return new FlightInfo(new Schema([]), descriptor, [endpoint]);
      },
    },
    options: { middleware: { echo } },
  }),
  client: async (location) => {
    const received: (string | undefined)[] = [];
    const factory: ClientMiddlewareFactory = {
      startCall: () => {
        let value: string | undefined;
        return {
          sendingHeaders: () => ({ [header]: expected }),
          receivedHeaders: (headers) => {
            value ??= headers.get(header);
          },
          receivedTrailers: (trailers) => {
            value ??= trailers.get(header);
          },
          callCompleted: () => {
            received.push(value);
          },
        };
      },
    };
    await using client = connect(location, { middleware: [factory], retry: false });
    await refused(client.getFlightInfo(FlightDescriptor.forCommand('')));
    assert.deepEqual(received, [expected]);
    await client.getFlightInfo(FlightDescriptor.forCommand('success'));
    assert.deepEqual(received, [expected, expected]);
  },
};
