import { IpcDecoder, IpcEncoder } from '@peregrine/flight/ipc';
import type { SuiteOptions } from './transport.ts';
import { benchSchema, makeBatches } from '../programs/data.ts';

/** Batches coded in one counted run. */
const batches = 20_000;

/** What a batch of 8 columns costs outside the copies: decode and encode, in µs. Budget: under 50, aim 15. */
export async function ipc({ rounds, onResult }: SuiteOptions): Promise<void> {
  const [batch] = makeBatches(1);
  if (batch === undefined) return;
  const encoder = new IpcEncoder(benchSchema);
  const decoder = new IpcDecoder();
  decoder.decode(encoder.schema().header, new Uint8Array(0));
  const [message] = encoder.batch(batch);
  if (message === undefined) return;
  const body = Buffer.concat(message.bodyPieces);
  const measure = (run: () => unknown): number[] => {
    const runs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      for (let i = 0; i < batches; i++) run();
      if (round > 0) runs.push(((performance.now() - start) * 1000) / batches);
    }
    return runs;
  };
  const unit = 'µs a batch';
  const decode = measure(() => decoder.decode(message.header, body));
  onResult({ what: 'decode', unit, runs: decode });
  const encode = measure(() => encoder.batch(batch));
  onResult({ what: 'encode', unit, runs: encode });
  const both = decode.map((cost, i) => cost + (encode[i] ?? Number.NaN));
  onResult({ what: 'decode and encode', unit, runs: both, must: 50, aim: 15 });
}
