import type { EngineLimits } from './options.ts';
import type { EngineInfo } from './types.ts';
import type { DriverOption } from './worker/messages.ts';

/** What makes one engine differ from another. */
export interface EngineSpecification extends EngineLimits {
  /** Path of the driver's library. */
  readonly library: string;
  /** Its function; undefined: by its name. */
  readonly entrypoint: string | undefined;
  /** Options of the database. */
  readonly options: readonly DriverOption[];
  readonly dialect: EngineInfo['dialect'];
  /** Path of libduckdb for drivers of others, see `c-data/borrowed-release.ts`. */
  readonly helper?: string | undefined;
  /** What the buffers of all results may take together, in bytes. Default: 192 MB. */
  readonly streamBufferBytes?: number | undefined;
  /** Whether a database that broke can be opened again without losing anything. */
  readonly canReopen: boolean;
}
