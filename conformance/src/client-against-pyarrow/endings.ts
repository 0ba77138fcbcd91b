// Every kind of call given up, out of time, or failed by the server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Action,
  type FlightCallOptions,
  FlightCancelledError,
  type FlightClient,
  FlightDescriptor,
  FlightError,
  FlightTimedOutError,
  Ticket,
} from '@peregrine/flight';

import { bodies, hasBegun, numbers, text, withServer } from './pyarrow-server.ts';

type Call = (client: FlightClient, what: string, options?: FlightCallOptions) => Promise<unknown>;

/** Each call of the client, to a handler that does `what`. */
const calls: Readonly<Record<string, Call>> = {
  listFlights: (client, what, options) => client.listFlights(what, options).toArray(),
  getFlightInfo: (client, what, options) => client.getFlightInfo(FlightDescriptor.forCommand(what), options),
  getSchema: (client, what, options) => client.getSchema(FlightDescriptor.forPath(what), options),
  doGet: (client, what, options) => client.doGet(new Ticket(what), options).readAll(),
  async doPut(client, what, options) {
    const { writer, reader } = client.doPut(FlightDescriptor.forPath(what), options);
    await writer.begin(numbers().schema);
    await reader.read();
    await writer.close();
  },
  async doExchange(client, what, options) {
    const { reader, writer } = client.doExchange(FlightDescriptor.forCommand(what), options);
    // the server hears of the call by its first message, and may have refused it before the second
    await writer.begin(numbers().schema).catch(() => undefined);
    await reader.readNext();
  },
  async doAction(client, what, options) {
    const [type = '', body = ''] = what.split(':');
    await client.doAction(new Action(type, body), options).toArray();
  },
};

export function checkEndings(): void {
  describe('every kind of call', () => {
    const context = withServer(
      () => [],
      () => ({ retry: false }),
    );

    for (const [name, call] of Object.entries(calls)) {
      it(`${name} ends with TIMED_OUT when its time is over, and the server is told`, async () => {
        // a busy machine may not have begun to serve the call when its time is over
        for (let timeoutMs = 150; ; timeoutMs *= 4) {
          await assert.rejects(call(context.client, 'silent', { timeoutMs }), FlightTimedOutError);
          if (await hasBegun(context.client, 0)) break;
        }
        assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
      });

      it(`${name} ends with CANCELLED when the signal aborts, and the server is told`, async () => {
        const controller = new AbortController();
        const ending = call(context.client, 'silent', { signal: controller.signal });
        const rejected = assert.rejects(ending, FlightCancelledError);
        assert.ok(await hasBegun(context.client, 120));
        controller.abort();
        await rejected;
        assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
      });

      it(`${name} fails with the error of the server and its bytes`, async () => {
        await assert.rejects(call(context.client, 'error:internal'), (error) => {
          assert.ok(error instanceof FlightError, String(error));
          assert.match(error.rawMessage, /an internal error/);
          // pyarrow passes no FlightError of get_schema on, only its text
          if (name === 'getSchema') return true;
          assert.equal(error.code, 'INTERNAL', error.message);
          assert.equal(Buffer.compare(error.extraInfo, Buffer.from('extra \0\xff', 'latin1')), 0);
          return true;
        });
      });
    }

    it('doPut cancelled midway stops the server', async () => {
      const put = context.client.doPut(FlightDescriptor.forPath('cancelled midway'));
      await put.writer.writeTable(numbers(1, 2, 3));
      assert.equal(text(await put.reader.read()), 'one');
      put.cancel();
      await assert.rejects(put.writer.close(), FlightCancelledError);
      assert.deepEqual(await bodies(context.client, 'was cancelled'), ['yes']);
    });
  });
}
