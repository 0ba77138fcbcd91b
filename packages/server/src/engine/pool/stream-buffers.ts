/** Memory that DuckDB may fill with rows of a result before they are asked for. */
export interface StreamBuffer {
  readonly bytes: number;
  /** Gives the memory back for later results. Once; more often does nothing. */
  release(): void;
}

/** Shares memory among the results that are read at a time. */
export interface StreamBuffers {
  take(): StreamBuffer;
}

/** DuckDB's own default of `streaming_buffer_size`. */
export const leastStreamBuffer = 1_000_000;

/** What the buffers of all results take together, apart from the least that each has. */
const sharedBytes = 192_000_000;

/**
 * What they take where the engine has so much memory. DuckDB does not count them to its limit, and they take two to three
 * times what they are set to.
 */
export function streamBuffersWithin(memoryBytes: number): number {
  return Math.min(sharedBytes, Math.floor(memoryBytes / 16));
}

/**
 * Several threads of DuckDB read a file at once only where a row group of each finds room: 123,000 rows, some 20 MB. With
 * its default all work is done by the thread that fetches. On the other hand no row is given before a good part of the
 * buffer is full, so that it is for {@link isPlainScan | scans} only, which fill it in a moment.
 *
 * Each result gets half of what is left, in whole megabytes: much for the first, which is often the only one, and
 * however many there are, all together stay within the limit.
 */
export function createStreamBuffers(limit: number = sharedBytes): StreamBuffers {
  let left = limit;
  return {
    take() {
      const bytes = Math.max(leastStreamBuffer, Math.floor(left / 2_000_000) * 1_000_000);
      const taken = bytes > leastStreamBuffer ? bytes : 0;
      left -= taken;
      let isReleased = false;
      return {
        bytes,
        release() {
          if (isReleased) return;
          isReleased = true;
          left += taken;
        },
      };
    },
  };
}
