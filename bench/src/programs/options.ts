import { parseArgs } from 'node:util';

/** Options of the programs that move batches; those of `python/options.py` are the same. */
export interface ProgramOptions {
  readonly positionals: readonly string[];
  /** An IPC file: its batches are sent instead of random doubles. */
  readonly batches: string | undefined;
  /** How often all of them are sent. */
  readonly passes: number;
  readonly compression: 'lz4' | 'zstd' | undefined;
  /** A folder with ca.crt, server.crt and server.key. */
  readonly tls: string | undefined;
  /** Say `ready` and begin when a line comes. */
  readonly wait: boolean;
}

/** Reads the command line. */
export function programOptions(): ProgramOptions {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      batches: { type: 'string' },
      passes: { type: 'string', default: '1' },
      compression: { type: 'string' },
      tls: { type: 'string' },
      wait: { type: 'boolean', default: false },
    },
  });
  const { compression } = values;
  return {
    positionals,
    batches: values.batches,
    passes: Number(values.passes),
    compression: compression === 'lz4' || compression === 'zstd' ? compression : undefined,
    tls: values.tls,
    wait: values.wait,
  };
}
