import { IpcDecoder, IpcEncoder } from '@peregrine/flight/ipc';
import type { SuiteOptions } from './transport.ts';
import { benchSchema, makeBatches } from '../programs/data.ts';
import { median } from '../measure.ts';

/** Batches coded in one counted run. */
const batches = 20_000;

/** What a batch of 8 columns costs outside the copies: decode and encode, in µs. Budget: under 50, aim 15. */
export async function ipc({ rounds }: SuiteOptions): Promise<void> {
  const [batch] = makeBatches(1);
  if (batch === undefined) return;
  const encoder = new IpcEncoder(benchSchema);
  const decoder = new IpcDecoder();
  decoder.decode(encoder.schema().header, new Uint8Array(0));
  const [message] = encoder.batch(batch);
  if (message === undefined) return;
  const body = Buffer.concat(message.bodyPieces);
  const measure = (name: string, run: () => unknown): number => {
    const runs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      for (let i = 0; i < batches; i++) run();
      if (round > 0) runs.push(((performance.now() - start) * 1000) / batches);
    }
    console.log(
      `${name}: ${median(runs).toFixed(2)} µs a batch (${Math.min(...runs).toFixed(2)} to ${Math.max(...runs).toFixed(2)})`,
    );
    return median(runs);
  };
  const decode = measure('decode', () => decoder.decode(message.header, body));
  const encode = measure('encode', () => encoder.batch(batch));
  const sum = decode + encode;
  console.log(
    `both: ${sum.toFixed(2)} µs  must 50 ${sum < 50 ? 'met' : 'NOT MET'}  aim 15 ${sum < 15 ? 'met' : 'not met'}`,
  );
}
