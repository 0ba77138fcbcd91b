import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { createDatasetStore } from '../src/datasets/dataset.ts';
import { createDuckDbEngine } from '../src/engine/duckdb.ts';
import type { Engine } from '../src/engine/types.ts';
import { createHttpServer } from '../src/http/server.ts';
import { checkTimes, checkWhole } from '../src/option-checks.ts';
import { createFlightService } from '../src/service/flight-service.ts';
import { createSqlService } from '../src/sql/service.ts';
import { openStore } from '../src/store/store.ts';

describe('numbers of options', () => {
  it('are whole, and not too small', () => {
    checkWhole({ a: 1, b: undefined, c: Number.MAX_SAFE_INTEGER }, 1);
    checkWhole({ a: 0 }, 0);
    for (const wrong of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.throws(() => checkWhole({ fine: 1, wrong }, 1), {
        name: 'FlightInvalidArgumentError',
        message: `[INVALID_ARGUMENT] wrong must be a whole number of 1 or more, got ${wrong}`,
      });
    }
  });

  it('are times that a timer can wait for', () => {
    checkTimes({ a: 0, b: undefined, c: 0.5, d: 0x7fff_ffff }, 0);
    checkTimes({ a: Infinity }, 0, 'endless');
    for (const wrong of [0, -1, Number.NaN, Infinity, 0x8000_0000, -Infinity]) {
      assert.throws(() => checkTimes({ wrong }, 1), {
        name: 'FlightInvalidArgumentError',
        message: `[INVALID_ARGUMENT] wrong must be a time of 1 to 2147483647 milliseconds, got ${wrong}`,
      });
    }
    for (const wrong of [-Infinity, Number.NaN, 0x8000_0000])
      assert.throws(() => checkTimes({ wrong }, 0, 'endless'), /milliseconds, or Infinity, got/);
  });
});

describe('options that programs give', () => {
  let engine: Engine;
  before(async () => {
    engine = await createDuckDbEngine();
  });
  after(() => engine.close());

  const made: readonly (readonly [options: object, make: (options: object) => unknown])[] = [
    [{ maxRunningStatements: 0 }, createDuckDbEngine],
    [{ maxQueuedStatements: -1 }, createDuckDbEngine],
    [{ maxReadAheadBytes: 0.5 }, createDuckDbEngine],
    [{ queueTimeoutMs: Infinity }, createDuckDbEngine],
    [{ statementTimeoutMs: 0 }, createDuckDbEngine],
    [{ pollMs: Number.NaN }, openStore],
    [{ retainMs: -1 }, openStore],
    [{ sweepMs: 0 }, openStore],
    [{ partBytes: 0 }, openStore],
    [{ maxMemoryBytes: Number.NaN }, (options) => createFlightService(createDatasetStore(), options)],
    ...['maxFetchedTickets', 'maxPreparedBytes', 'ticketLifeMs', 'preparedLifeMs', 'statementTimeoutMs'].map(
      (name) => [{ [name]: -1 }, (options: object) => createSqlService(engine, options)] as const,
    ),
    [{ transactionTimeoutMs: 0 }, (options) => createSqlService(engine, options)],
    ...['sqlBytes', 'insertBytes', 'bufferedBytes', 'minBytesPerSecond', 'statementTimeoutMs'].map(
      (name) => [{ [name]: -1 }, (limits: object) => createHttpServer({ engine, limits })] as const,
    ),
    ...['stallTimeoutMs', 'idleTimeoutMs'].map(
      (name) => [{ [name]: 0 }, (limits: object) => createHttpServer({ engine, limits })] as const,
    ),
  ];
  for (const [options, make] of made) {
    const [[name, value] = ['']] = Object.entries(options);
    it(`${name} cannot be ${value}`, async () => {
      await assert.rejects(
        async () => make(options),
        (error) => error instanceof FlightInvalidArgumentError && error.message.includes(`${name} must be`),
      );
    });
  }
});
