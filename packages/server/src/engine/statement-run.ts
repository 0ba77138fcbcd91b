import { FlightCancelledError, FlightError, FlightTimedOutError } from '@peregrine/flight/errors';
import { cancelGraceMs } from '../limits.ts';
import { isFatal, lostReason } from './adbc/errors.ts';
import type { ControlThread } from './pool/control-thread.ts';
import { onProcessEnd } from './pool/counted-work.ts';
import type { WorkerPool } from './pool/worker-pool.ts';
import type { EngineInfo } from './types.ts';
import type { OperationArguments, OperationName, OperationResult } from './worker/messages.ts';

/** What is being run, to be able to cancel it. */
export interface StatementRun {
  readonly connection: number;
  readonly statement?: number | undefined;
  readonly kind?: 'start' | 'continue' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Time that is left of the statement's, in milliseconds; counted down while it works. */
  readonly time: { leftMs: number | undefined };
}

/** Runs operations that a signal or the time-out of statements cancels in the engine. */
export interface StatementRunner {
  run<K extends OperationName>(
    name: K,
    args: OperationArguments<K>,
    options: StatementRun,
  ): Promise<OperationResult<K>>;
  /** Nothing runs any more. */
  close(): void;
}

/** What a {@link StatementRunner} needs of its engine. */
export interface StatementRunnerParts {
  readonly pool: WorkerPool;
  readonly control: Pick<ControlThread, 'run'>;
  readonly dialect: EngineInfo['dialect'];
  /** The time-out of statements, in milliseconds, to tell it. */
  readonly timeoutMs: number | undefined;
  /** Told when an error says that the database can no longer be used. */
  readonly onFatal: (error: FlightError) => void;
}

/** @see StatementRunner */
export function createStatementRunner(parts: StatementRunnerParts): StatementRunner {
  const { pool, control, dialect, timeoutMs, onFatal } = parts;
  /** What threads are about. Their connections stay as long as no answer has come. */
  const working = new Set<OperationArguments<'cancel'>>();
  const forgetProcessEnd = onProcessEnd(() => {
    for (const each of working) void control.run('cancel', each).catch(() => undefined);
  });

  return {
    async run<K extends OperationName>(
      name: K,
      args: OperationArguments<K>,
      { connection, statement, kind, signal, time }: StatementRun,
    ): Promise<OperationResult<K>> {
      const target = { connection, statement };
      const canceller = createCanceller(control, target);
      let timeout: NodeJS.Timeout | undefined;
      let startedAt: number | undefined;
      let timedOut = false;
      const onAbort = (): void => canceller.cancel();
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        return await pool.run(name, args, {
          kind,
          signal,
          onStart(leavePlace) {
            startedAt = performance.now();
            working.add(target);
            canceller.start(leavePlace);
            if (time.leftMs === undefined) return;
            timeout = setTimeout(() => {
              timedOut = true;
              canceller.cancel();
            }, time.leftMs);
          },
        });
      } catch (error) {
        if (timedOut) {
          throw new FlightTimedOutError(
            `the statement was cancelled after ${timeoutMs} ms, the time-out of statements`,
            // Another try would run as long.
            { cause: error, retryAfterMs: 'never' },
          );
        }
        if (!(error instanceof FlightError)) throw error;
        if (isFatal(error.rawMessage)) {
          onFatal(error);
          throw error;
        }
        if (signal?.aborted !== true) throw (dialect === 'duckdb' ? lostReason(error) : undefined) ?? error;
        if (error.code === 'CANCELLED') throw error;
        throw new FlightCancelledError(`the statement was cancelled: ${error.rawMessage}`, { cause: error });
      } finally {
        working.delete(target);
        clearTimeout(timeout);
        signal?.removeEventListener('abort', onAbort);
        await canceller.end();
        if (time.leftMs !== undefined && startedAt !== undefined) {
          time.leftMs = Math.max(1, time.leftMs - (performance.now() - startedAt));
        }
      }
    },
    close: forgetProcessEnd,
  };
}

/** How often a cancel is told again until the statement has ended: one that comes before the statement begins is lost. */
const cancelAgainMs = 20;

/** Cancels one operation. */
interface Canceller {
  /**
   * The operation has begun; nothing is there to cancel before.
   *
   * @param leavePlace - gives its place to another, because it was cancelled and does not end
   */
  start(leavePlace: () => void): void;
  /** Tells the engine, again and again until {@link end}. */
  cancel(): void;
  /** The operation has ended. Resolves when the engine is not being told any more: what it is told of is freed next. */
  end(): Promise<void>;
}

function createCanceller(
  control: StatementRunnerParts['control'],
  target: OperationArguments<'cancel'>,
): Canceller {
  let onGraceEnd: (() => void) | undefined;
  let again: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;

  function cancel(): void {
    if (onGraceEnd === undefined) return;
    // One at a time: a driver may take a while, and must not be told of what is gone already.
    telling ??= control
      .run('cancel', target)
      .catch(() => undefined)
      .then(() => {
        telling = undefined;
      });
    again ??= setInterval(cancel, cancelAgainMs);
    // It may wait for a bucket that does not answer, and hear of nothing meanwhile.
    grace ??= setTimeout(onGraceEnd, cancelGraceMs);
  }

  return {
    start(leavePlace) {
      onGraceEnd = leavePlace;
    },
    cancel,
    async end() {
      clearInterval(again);
      clearTimeout(grace);
      await telling;
    },
  };
}
