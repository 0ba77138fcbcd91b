import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevCertificates, writeDevCertificates } from '@peregrine/flight/auth';
import { compareAll } from '../measure.ts';
import { mover, startPair } from '../moving.ts';
import type { SuiteOptions } from './transport.ts';

/** The same 4 MiB batches as in `transport`, over TLS, against Arrow's C++ on both ends. */
export async function tls({ rounds, onResult }: SuiteOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-bench-'));
  try {
    await writeDevCertificates(folder, createDevCertificates());
    const pair = await startPair('1.5', ['--tls', folder]);
    const { ours, theirs } = pair;
    try {
      const gets = [
        mover('ours ← pyarrow', pair.ourClient('get', theirs)),
        mover('pyarrow ← ours', pair.theirClient('get', ours)),
        mover('ours ← ours', pair.ourClient('get', ours)),
        mover('ours ← ours, scoped()', pair.ourClient('get-scoped', ours)),
      ];
      const get = mover('pyarrow ← pyarrow', pair.theirClient('get', theirs));
      for (const result of await compareAll('DoGet, TLS', 'GB/s', gets, get, rounds)) onResult(result);
      const puts = [
        mover('pyarrow → ours', pair.theirClient('put', ours)),
        mover('ours → ours', pair.ourClient('put', ours)),
      ];
      const put = mover('pyarrow → pyarrow', pair.theirClient('put', theirs));
      for (const result of await compareAll('DoPut, TLS', 'GB/s', puts, put, rounds)) onResult(result);
    } finally {
      await pair.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
