import assert from 'node:assert/strict';
import { FlightDescriptor, connect } from '@peregrine/flight';
import { readNumbers, refused } from './expect.ts';
import { expirationServer } from './expiration-server.ts';
import type { Scenario } from './scenario.ts';

const command = FlightDescriptor.forCommand('expiration');

/** Endpoints say until when their tickets can be used. */
export const expirationDoGet: Scenario = {
  name: 'expiration_time:do_get',
  server: expirationServer,
  client: async (location) => {
    await using client = connect(location);
    const { endpoints } = await client.getFlightInfo(command);
    assert.deepEqual(
      endpoints.map(({ expirationTime }) => expirationTime !== undefined),
      [false, true, true],
    );
    const numbers: number[] = [];
    for (const { ticket } of endpoints) numbers.push(...(await readNumbers(client.doGet(ticket))));
    assert.deepEqual(numbers, [0, 1, 2]);
  },
};

/** The predefined actions that the server has are listed. */
export const expirationListActions: Scenario = {
  name: 'expiration_time:list_actions',
  server: expirationServer,
  client: async (location) => {
    await using client = connect(location);
    const actions = await client.listActions().toArray();
    assert.deepEqual(actions.map(({ type }) => type).sort(), ['CancelFlightInfo', 'RenewFlightEndpoint']);
  },
};

/** A FlightInfo can be cancelled once; its endpoints give nothing afterwards. */
export const expirationCancel: Scenario = {
  name: 'expiration_time:cancel_flight_info',
  server: expirationServer,
  client: async (location) => {
    await using client = connect(location);
    const info = await client.getFlightInfo(command);
    assert.equal((await client.cancelFlightInfo(info)).status, 'CANCELLED');
    for (const { ticket } of info.endpoints) await refused(readNumbers(client.doGet(ticket)));
    assert.equal((await client.cancelFlightInfo(info)).status, 'NOT_CANCELLABLE');
  },
};

/** Endpoints that expire can be renewed. */
export const expirationRenew: Scenario = {
  name: 'expiration_time:renew_flight_endpoint',
  server: expirationServer,
  client: async (location) => {
    await using client = connect(location);
    const { endpoints } = await client.getFlightInfo(command);
    let renewed = 0;
    for (const endpoint of endpoints) {
      if (endpoint.expirationTime === undefined) continue;
      const { expirationTime } = await client.renewFlightEndpoint(endpoint);
      assert.ok(expirationTime !== undefined && expirationTime > endpoint.expirationTime);
      renewed++;
    }
    assert.equal(renewed, 2);
  },
};
