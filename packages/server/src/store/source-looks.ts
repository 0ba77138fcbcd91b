import { FlightError, FlightUnavailableError, messageOf } from '@peregrine/flight/errors';
import { loadHttpfs, secretSql, timeoutSql } from './s3/httpfs.ts';
import type { S3Options } from './s3/options.ts';
import { endsWithin } from './ends-within.ts';
import type { Scan } from './scan.ts';
import type { Source } from './sources.ts';
import type { StoreProblem } from './types.ts';

/** What lies in each source, and what cannot be looked at just now. */
export interface SourceLook {
  readonly looked: readonly { readonly source: Source; readonly scan: Scan }[];
  readonly problems: readonly StoreProblem[];
}

/** Makes the engine reach a source. Nothing where it can already. */
export type Reach = (source: Source) => Promise<void>;

/** Looks at sources. */
export interface SourceLooks {
  /**
   * Looks at all of them. One that cannot be looked at is what it was when it last could.
   *
   * @param patienceMs - how long one of them is waited for, so that a bucket that is silent does not keep the others from
   *   being seen; it is looked at to the end all the same
   */
  look(patienceMs: number): Promise<SourceLook>;
  /** What is known of them, without looking. */
  known(): SourceLook;
}

/**
 * @param reach - how the engine comes to a source
 * @param onLate - called when one that was not waited for has been looked at
 */
export function createSourceLooks(sources: readonly Source[], reach: Reach, onLate: () => void): SourceLooks {
  const states = sources.map(createSourceState);
  const unreached = new Map<Source, unknown>();
  const known = (): SourceLook => ({
    looked: states.map(({ source, scan }) => ({ source, scan: scan() })),
    problems: states.flatMap(({ source, scan, problem }) =>
      [problem() ?? scan().problem, unreached.get(source)]
        .filter((error) => error !== undefined)
        .map((error) => ({ origin: source.given, message: wordsOf(error) })),
    ),
  });
  return {
    known,
    async look(patienceMs) {
      await Promise.all(states.map((state) => state.look(patienceMs, onLate)));
      for (const source of sources) {
        try {
          await reach(source);
          unreached.delete(source);
        } catch (error) {
          unreached.set(source, error);
        }
      }
      return known();
    },
  };
}

function wordsOf(error: unknown): string {
  if (typeof error === 'string') return error;
  return error instanceof FlightError ? error.rawMessage : messageOf(error);
}

/** One source, and what is known of it. */
interface SourceState {
  readonly source: Source;
  readonly scan: () => Scan;
  readonly problem: () => unknown;
  readonly look: (patienceMs: number, onLate: () => void) => Promise<void>;
}

function createSourceState(source: Source): SourceState {
  let scan: Scan = { tables: [], datasets: new Map() };
  let problem: unknown;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let isLate = false;

  function start(): Promise<void> {
    running = source
      .look()
      .then(
        (found) => {
          scan = found;
          problem = undefined;
        },
        (error: unknown) => {
          problem = error;
        },
      )
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  /** A look that runs already may have passed by what changed since. */
  function startNow(): Promise<void> {
    if (running === undefined) return start();
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  }

  return {
    source,
    scan: () => scan,
    problem: () => problem,
    async look(patienceMs, onLate) {
      const done = startNow();
      if (await endsWithin(done, patienceMs)) return;
      problem ??= new FlightUnavailableError(
        'has not answered yet; it is served as soon as it has, what was known of it meanwhile',
      );
      if (isLate) return;
      isLate = true;
      void done.then(() => {
        isLate = false;
        onLate();
      });
    },
  };
}

/** What reaching buckets needs. */
export interface BucketAccess {
  /** Runs SQL in the engine. */
  readonly setup: (sql: string) => Promise<void>;
  /** Of the engine: httpfs has the same. */
  readonly version: string;
  /** File or folder of httpfs. Default: the one that DuckDB has, or fetches. */
  readonly extensions: string | undefined;
  readonly s3: S3Options;
}

/**
 * Lets the engine have buckets, each the first time that it is asked for.
 *
 * @param access - undefined where there is no engine
 */
export function createReach(
  sources: readonly Source[],
  access: BucketAccess | undefined,
): { readonly reach: Reach; readonly forget: () => void } {
  const reached = new Set<Source>();
  return {
    async reach(source) {
      const { root } = source.storage;
      if (!root.startsWith('s3://') || access === undefined || reached.has(source)) return;
      const { extensions, s3, setup, version } = access;
      await loadHttpfs(setup, extensions, version);
      await setup(secretSql(`peregrine_s3_${sources.indexOf(source)}`, root, s3));
      if (s3.requestTimeoutMs !== undefined) await setup(timeoutSql(s3.requestTimeoutMs));
      reached.add(source);
    },
    forget: () => reached.clear(),
  };
}
