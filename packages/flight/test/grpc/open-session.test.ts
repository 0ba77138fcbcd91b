import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightCancelledError, FlightUnavailableError } from '../../src/errors.ts';
import {
  alternateFamilies,
  describeTarget,
  openSession,
  type SessionConnector,
} from '../../src/grpc/open-session.ts';
import type { GrpcLookup } from '../../src/grpc/types.ts';
import type { Http2Session } from '../../src/http2/index.ts';
import { happyEyeballsDelayMs } from '../../src/limits/grpc.ts';

const target = { kind: 'tcp', host: 'name.test', port: 7 } as const;
const never = new AbortController().signal;
const found =
  (...addresses: string[]): GrpcLookup =>
  () =>
    Promise.resolve(addresses);

/** A session that only knows whether it was destroyed. */
function fakeSession(): Http2Session & { destroyed: boolean } {
  return {
    destroyed: false,
    state: 'open',
    peer: { family: 'ipv4', address: '', port: 0, tls: undefined },
    openStreams: 0,
    peerMaxConcurrentStreams: 1,
    peerMaxHeaderListSize: Infinity,
    lastReceivedAt: 0,
    ended: new Promise(() => undefined),
    request: () => assert.fail(),
    ping: () => assert.fail(),
    close: () => assert.fail(),
    setKeepsAlive: () => undefined,
    destroy() {
      this.destroyed = true;
    },
  };
}

type Outcome = 'connects' | 'fails' | 'hangs';

/** Connects to addresses as the table says. */
function connector(table: Readonly<Record<string, Outcome>>): {
  connect: SessionConnector;
  tried: string[];
  aborted: string[];
  session: ReturnType<typeof fakeSession>;
} {
  const tried: string[] = [];
  const aborted: string[] = [];
  const session = fakeSession();
  return {
    tried,
    aborted,
    session,
    connect: (address, signal) => {
      const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
      tried.push(where);
      signal.addEventListener('abort', () => aborted.push(where));
      const outcome = table[where];
      if (outcome === 'connects') return Promise.resolve(session);
      if (outcome === 'fails') return Promise.reject(new Error(`refused ${where}`));
      return new Promise(() => undefined);
    },
  };
}

describe('opening a connection', () => {
  it('takes an address as it is and a path as it is', async () => {
    const { connect, tried } = connector({ '::1:7': 'connects', '/s': 'connects' });
    const lookup: GrpcLookup = () => assert.fail('nothing to look up');
    await openSession({ kind: 'tls', host: '::1', port: 7 }, connect, lookup, never);
    await openSession({ kind: 'unix', path: '/s' }, connect, lookup, never);
    assert.deepEqual(tried, ['::1:7', '/s']);
  });

  it('tries the next address at once when one fails', async () => {
    const { connect, tried, session } = connector({ '1.1.1.1:7': 'fails', '2.2.2.2:7': 'connects' });
    assert.equal(await openSession(target, connect, found('1.1.1.1', '2.2.2.2', '3.3.3.3'), never), session);
    assert.deepEqual(tried, ['1.1.1.1:7', '2.2.2.2:7']);
  });

  it('tries the next address beside one that hangs, and gives the loser up', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { connect, tried, aborted, session } = connector({ '::1:7': 'hangs', '1.1.1.1:7': 'connects' });
    const opened = openSession(target, connect, found('::1', '1.1.1.1'), never);
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(tried, ['::1:7']);
    t.mock.timers.tick(happyEyeballsDelayMs);
    assert.equal(await opened, session);
    assert.deepEqual(tried, ['::1:7', '1.1.1.1:7']);
    assert.ok(aborted.includes('::1:7'));
  });

  it('closes a connection that comes too late', async () => {
    const first = fakeSession();
    const late = fakeSession();
    let finishLate: (session: Http2Session) => void = () => undefined;
    let failFirst: (error: Error) => void = () => undefined;
    const connect: SessionConnector = (address) =>
      new Promise((resolve, reject) => {
        if (address.kind === 'tcp' && address.host === '1.1.1.1') {
          failFirst = reject;
          finishLate = resolve;
        } else resolve(first);
      });
    const opened = openSession(target, connect, found('1.1.1.1', '2.2.2.2'), never);
    assert.equal(await opened, first);
    finishLate(late);
    failFirst(new Error('ignored'));
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(late.destroyed, true);
  });

  it('names every failure when nothing can be reached', async () => {
    const { connect } = connector({ '1.1.1.1:7': 'fails', '2.2.2.2:7': 'fails' });
    await assert.rejects(openSession(target, connect, found('1.1.1.1', '2.2.2.2'), never), (error) => {
      assert.ok(error instanceof FlightUnavailableError);
      assert.match(error.message, /name\.test:7: refused 1\.1\.1\.1:7; refused 2\.2\.2\.2:7/);
      assert.ok(error.cause instanceof AggregateError);
      return true;
    });
  });

  it('says when a name has no address', async () => {
    const { connect } = connector({});
    await assert.rejects(openSession(target, connect, found(), never), /name\.test has no address/);
    const broken: GrpcLookup = () => Promise.reject(new Error('ENOTFOUND'));
    await assert.rejects(
      openSession(target, connect, broken, never),
      (error) =>
        error instanceof FlightUnavailableError &&
        /name\.test cannot be found: ENOTFOUND/.test(error.message),
    );
  });

  it('is given up by its signal', async () => {
    const { connect, aborted } = connector({ '1.1.1.1:7': 'hangs' });
    const controller = new AbortController();
    const opened = openSession(target, connect, found('1.1.1.1'), controller.signal);
    await Promise.resolve();
    await Promise.resolve();
    controller.abort();
    await assert.rejects(opened, FlightCancelledError);
    assert.deepEqual(aborted, ['1.1.1.1:7']);
    await assert.rejects(
      openSession(target, connect, found('1.1.1.1'), controller.signal),
      FlightCancelledError,
    );
  });
});

describe('addresses', () => {
  it('take turns by family, beginning with the first one', () => {
    assert.deepEqual(alternateFamilies(['::1', '::2', '::3', '1.1.1.1']), ['::1', '1.1.1.1', '::2', '::3']);
    assert.deepEqual(alternateFamilies(['1.1.1.1', '1.1.1.2', '::1']), ['1.1.1.1', '::1', '1.1.1.2']);
    assert.deepEqual(alternateFamilies([]), []);
  });

  it('are named in errors as they are written', () => {
    assert.equal(describeTarget({ kind: 'tcp', host: '::1', port: 1 }), '[::1]:1');
    assert.equal(describeTarget({ kind: 'tls', host: 'a', port: 1 }), 'a:1');
    assert.equal(describeTarget({ kind: 'unix', path: '/p' }), '/p');
  });
});
