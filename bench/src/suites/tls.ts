import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevCertificates, writeDevCertificates } from '@peregrine/flight/auth';
import { compareAll } from '../measure.ts';
import { gets, mover, puts, startPair } from '../moving.ts';
import type { SuiteOptions } from './transport.ts';

/** The same 4 MiB batches as in `transport`, over TLS, against Arrow's C++ on both ends. */
export async function tls({ rounds, onResult }: SuiteOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-bench-'));
  try {
    await writeDevCertificates(folder, createDevCertificates());
    const pair = await startPair('1.5', ['--tls', folder]);
    try {
      const get = gets(pair);
      const fetching = [
        ...get.sides,
        mover('ours ← ours, scoped()', pair.ourClient('get-scoped', pair.ours)),
      ];
      for (const result of await compareAll('DoGet, TLS', 'GB/s', fetching, get.peer, rounds))
        onResult(result);
      const put = puts(pair);
      for (const result of await compareAll('DoPut, TLS', 'GB/s', put.sides, put.peer, rounds))
        onResult(result);
    } finally {
      await pair.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
