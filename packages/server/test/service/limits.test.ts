import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Action, FlightError, type FlightInfo, Ticket, connect } from '@peregrine/flight';
import type { ClientMiddlewareFactory } from '@peregrine/flight/middleware';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import { type DataServer, type DataServerOptions, serveData } from '../../src/serve.ts';

const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c';

async function withServer(
  options: DataServerOptions,
  run: (server: DataServer) => Promise<void>,
): Promise<void> {
  const server = await serveData({ flightPort: 0, httpPort: undefined, ...options });
  try {
    await run(server);
  } finally {
    await server.shutdown();
  }
}

/** Tells how each try of a call ended. */
function tries(onEnd: (method: string, error: FlightError | undefined) => void): ClientMiddlewareFactory {
  return { startCall: ({ method }) => ({ callCompleted: (error) => onEnd(method, error) }) };
}

/** Plans a statement, which takes longer than the server allows when the machine is busy. */
async function planned(client: FlightSqlClient, sql: string): Promise<FlightInfo> {
  for (;;) {
    try {
      return await client.execute(sql);
    } catch (error) {
      if (!(error instanceof FlightError && error.code === 'TIMED_OUT')) throw error;
    }
  }
}

describe('A statement that meets a limit of the server', () => {
  it('runs once where it takes too long, however it is asked for', async () => {
    await withServer({ statementTimeout: 1000 }, async ({ location }) => {
      const ended: string[] = [];
      const middleware = [
        tries((method, error) => ended.push(`${method} ${error?.code} ${error?.retryAfterMs}`)),
      ];
      const client = connect(location, { middleware, circuitBreaker: { failureThreshold: 1 } });
      const sql = connectSql(location, { middleware });
      try {
        await assert.rejects(client.doGet(new Ticket(endless)).readAll(), /time-out of statements/);
        assert.deepEqual(ended.splice(0), ['DoGet TIMED_OUT never']);
        // The server is there: the circuit stays closed.
        await client.doAction(new Action('ping')).toArray();
        assert.deepEqual(ended.splice(0), ['DoAction undefined undefined']);

        const info = await planned(sql, endless);
        ended.splice(0);
        await assert.rejects(sql.readAll(info), /time-out of statements/);
        assert.deepEqual(ended.splice(0), ['DoGet TIMED_OUT never']);
      } finally {
        await client.close();
        await sql.close();
      }
    });
  });

  it('is tried again when a place is free, where too many wait', async () => {
    await withServer({ maxRunning: 1, maxQueued: 0 }, async (server) => {
      const holder = connect(server.location, { retry: { maxAttempts: 50 } });
      let holding: ReturnType<typeof holder.doGet> | undefined;
      const refused: (FlightError | undefined)[] = [];
      const sql = connectSql(server.location, {
        retry: { maxAttempts: 50 },
        middleware: [
          tries((method, error) => {
            if (method !== 'DoGet' || error === undefined) return;
            refused.push(error);
            holding?.cancel();
          }),
        ],
      });
      try {
        const info = await sql.execute('SELECT 7 AS seven');
        holding = holder.doGet(new Ticket(endless));
        const held = assert.rejects(holding.readAll());
        // Until the other one has the place.
        while (refused.length === 0) {
          const table = await sql.readAll(info);
          assert.equal(table.get(0)?.['seven'], 7);
        }
        await held;
        assert.equal(refused[0]?.code, 'RESOURCE_EXHAUSTED');
        assert.equal(typeof refused[0]?.retryAfterMs, 'number');
      } finally {
        await sql.close();
        await holder.close();
      }
    });
  });
});
