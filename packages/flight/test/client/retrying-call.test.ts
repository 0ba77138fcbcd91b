import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightCancelledError, FlightUnavailableError } from '../../src/errors.ts';
import { BytesDecoder } from '../../src/grpc/message.ts';
import { scriptedCaller } from './scripted-caller.ts';

const down = new FlightUnavailableError('down');
const request = {
  method: 'ListFlights',
  decoder: (): BytesDecoder => new BytesDecoder(),
  options: {},
  repeatable: true,
} as const;

describe('a call that is tried again', () => {
  it('begins no next try when it was given up while the connection was waited for', async () => {
    const { caller, calls, running } = scriptedCaller((call) => call.finish(down));
    let connected: () => void = () => undefined;
    const connecting = new Promise<void>((resolve) => {
      caller.context.channel.connect = () => {
        resolve();
        return new Promise((done) => {
          connected = done;
        });
      };
    });
    const call = caller.stream(request, Uint8Array.of(1));
    const read = call.read();
    await connecting;
    call.cancel('enough');
    connected();
    await assert.rejects(read, FlightCancelledError);
    assert.equal(calls.length, 1);
    assert.equal(running.size, 0);
  });

  it('begins the next try when the connection is there', async () => {
    const { caller, calls } = scriptedCaller((call) => {
      if (calls.length === 1) call.finish(down);
      else {
        call.send(Uint8Array.of(2));
        call.finish();
      }
    });
    const call = caller.stream(request, Uint8Array.of(1));
    assert.deepEqual(await call.read(), Uint8Array.of(2));
    assert.equal(await call.read(), undefined);
    assert.equal(calls.length, 2);
  });
});
