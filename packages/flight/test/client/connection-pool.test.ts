import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createConnectionPool } from '../../src/client/connection-pool.ts';
import { FlightInvalidArgumentError, FlightUnavailableError } from '../../src/errors.ts';
import { maxPooledConnections } from '../../src/limits/client.ts';
import { Location } from '../../src/model/location.ts';

const here = new Location('grpc://127.0.0.1:1');

describe('a connection pool', () => {
  it('gives the same connection for the same place and options', async () => {
    await using pool = createConnectionPool();
    const first = pool.lease(here, { idleMs: 5 });
    const same = pool.lease(new Location('grpc+tcp://127.0.0.1:1'), { idleMs: 5 });
    const otherPlace = pool.lease(new Location('grpc://127.0.0.1:2'), { idleMs: 5 });
    const otherOptions = pool.lease(here, { idleMs: Infinity });
    const noOptions = pool.lease(here, {});
    assert.equal(first.channel, same.channel);
    const channels = new Set([first, otherPlace, otherOptions, noOptions].map((lease) => lease.channel));
    assert.equal(channels.size, 4);
    assert.equal(pool.size, 4);
  });

  it('tells certificates apart', async () => {
    await using pool = createConnectionPool();
    const tls = new Location('grpc+tls://127.0.0.1:1');
    const text = pool.lease(tls, { tls: { rootCertificates: 'a' } });
    const one = pool.lease(tls, { tls: { rootCertificates: Uint8Array.of(1) } });
    const two = pool.lease(tls, { tls: { rootCertificates: Uint8Array.of(2) } });
    const again = pool.lease(tls, { tls: { rootCertificates: Uint8Array.of(2) } });
    assert.equal(new Set([text, one, two, again].map((lease) => lease.channel)).size, 3);
  });

  it('keeps a connection that nobody uses for a while, and closes it then', async () => {
    await using pool = createConnectionPool({ idleMs: 5 });
    const first = pool.lease(here, {});
    const second = pool.lease(here, {});
    first.release();
    first.release();
    await sleep(20);
    assert.equal(pool.size, 1, 'it is still leased once');
    second.release();
    const third = pool.lease(here, {});
    assert.equal(third.channel, second.channel);
    await sleep(20);
    assert.equal(pool.size, 1, 'it was leased again in time');
    third.release();
    while (pool.size > 0) await sleep(1);
    assert.equal(third.channel.state, 'closed');
  });

  it('closes the one that was unused for longest when there are too many', async () => {
    await using pool = createConnectionPool();
    const leases = Array.from({ length: maxPooledConnections }, (_, index) =>
      pool.lease(new Location(`grpc://127.0.0.1:${index + 1}`), {}),
    );
    leases[7]?.release();
    leases[3]?.release();
    pool.lease(new Location('grpc://127.0.0.1:60000'), {});
    assert.equal(pool.size, maxPooledConnections);
    assert.equal(leases[7]?.channel.state, 'closed');
    assert.notEqual(leases[3]?.channel.state, 'closed');
    // leased ones are never closed
    pool.lease(new Location('grpc://127.0.0.1:60001'), {});
    pool.lease(new Location('grpc://127.0.0.1:60002'), {});
    assert.equal(pool.size, maxPooledConnections + 1);
  });

  it('refuses places that are none, and everything when it is closed', async () => {
    const pool = createConnectionPool();
    assert.throws(() => pool.lease(new Location('http://a:1'), {}), FlightInvalidArgumentError);
    const lease = pool.lease(here, {});
    await pool.close();
    assert.equal(lease.channel.state, 'closed');
    assert.throws(() => pool.lease(here, {}), FlightUnavailableError);
    lease.release();
    await pool.close();
  });
});
