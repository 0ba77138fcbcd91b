import { FlightError, messageOf } from '@peregrine/flight';
import { loadHttpfs, secretSql, timeoutSql } from './s3/httpfs.ts';
import type { S3Options } from './s3/options.ts';
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

/**
 * Looks at sources. One that cannot be looked at is what it was when it last could.
 *
 * @param reach - how the engine comes to it
 */
export function createSourceLooks(sources: readonly Source[], reach: Reach): () => Promise<SourceLook> {
  const lastScans = new Map<Source, Scan>();
  return async () => {
    const problems: StoreProblem[] = [];
    const tell = (source: Source, error: unknown): void => {
      const message = error instanceof FlightError ? error.rawMessage : messageOf(error);
      problems.push({ origin: source.given, message });
    };
    const looked = await Promise.all(
      sources.map(async (source) => {
        try {
          lastScans.set(source, await source.look());
        } catch (error) {
          tell(source, error);
        }
        return { source, scan: lastScans.get(source) ?? { tables: [], datasets: new Map() } };
      }),
    );
    for (const source of sources) await reach(source).catch((error: unknown) => tell(source, error));
    return { looked, problems };
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
