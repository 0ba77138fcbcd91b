import type { Engine } from '../engine/types.ts';
import type { Store } from '../store/types.ts';
import {
  maxBufferedResponseBytes,
  maxInsertBytes,
  maxSqlBodyBytes,
  responseStallTimeoutMs,
} from '../limits.ts';
import { checkTimes, checkWhole } from '../option-checks.ts';
import type { HttpMetrics } from './metrics.ts';
import type { RequestBodyLimits } from './request-body.ts';
import type { RunningQueries } from './running-queries.ts';

/** Limits of the HTTP side. */
export interface HttpLimits extends RequestBodyLimits {
  /** Bytes of a SQL text or JSON body. Default: `maxSqlBodyBytes`. */
  readonly sqlBytes: number;
  /** Bytes of one insert. Default: `maxInsertBytes`. */
  readonly insertBytes: number;
  /** Bytes that `wait_end_of_query=1` keeps. Default: `maxBufferedResponseBytes`. */
  readonly bufferedBytes: number;
  /** Milliseconds in which a client may take nothing. Default: `responseStallTimeoutMs`. */
  readonly stallTimeoutMs: number;
  /** Milliseconds that a statement may run, unless the request says less; 0: no limit. Default: 0. */
  readonly statementTimeoutMs: number;
}

/** {@link HttpLimits} as programs give them. */
export type GivenHttpLimits = { readonly [K in keyof HttpLimits]?: HttpLimits[K] | undefined };

/** What the routes share. */
export interface HttpContext {
  readonly engine: Engine;
  readonly store: Pick<Store, 'fileOf' | 'get' | 'tables' | 'use'> | undefined;
  readonly metrics: HttpMetrics;
  readonly running: RunningQueries;
  readonly limits: HttpLimits;
  /** Folder for inserts and Parquet results on their way. */
  readonly tempDirectory: string;
  readonly version: string;
  /** Why the server takes no more statements; undefined while it does. */
  readonly notReady: () => string | undefined;
  /** Told of results that broke off, and of errors that are ours. */
  readonly onError: (error: unknown, where: string) => void;
}

/**
 * Fills in the limits that were not given.
 *
 * @throws FlightInvalidArgumentError for one that is none
 */
export function httpLimits(given: GivenHttpLimits): HttpLimits {
  const {
    sqlBytes = maxSqlBodyBytes,
    insertBytes = maxInsertBytes,
    bufferedBytes = maxBufferedResponseBytes,
    stallTimeoutMs = responseStallTimeoutMs,
    statementTimeoutMs = 0,
    idleTimeoutMs,
    minBytesPerSecond,
  } = given;
  checkWhole({ sqlBytes, insertBytes, bufferedBytes, minBytesPerSecond }, 0);
  checkTimes({ stallTimeoutMs, idleTimeoutMs }, 1);
  checkTimes({ statementTimeoutMs }, 0);
  return {
    sqlBytes,
    insertBytes,
    bufferedBytes,
    stallTimeoutMs,
    statementTimeoutMs,
    idleTimeoutMs,
    minBytesPerSecond,
  };
}
