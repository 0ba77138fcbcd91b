import { readFileSync } from 'node:fs';
import { node, runForResult, startServer } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** Data that is streamed, in GB. */
const gigabytes = '100';

/** 100 GB through both of our ends, and the most memory that each took. Budget: under 300 MB each, aim 150. */
export async function memory({ onResult }: SuiteOptions): Promise<void> {
  for (const [mode, reading] of [
    ['get-scoped', 'scoped()'],
    ['get', 'kept until collected'],
  ] as const) {
    const server = await startServer(node('server.js', 'grpc+tcp://127.0.0.1:0', gigabytes));
    try {
      const {
        bytes = 0,
        seconds = 1,
        peakRss = 0,
      } = await runForResult(node('client.js', mode, server.address));
      const speed = `${(bytes / 1e9 / seconds).toFixed(2)} GB/s`;
      console.log(`${(bytes / 1e9).toFixed(0)} GB in ${seconds.toFixed(0)} s, ${speed}`);
      const limits = { unit: 'MB at the most', must: 300, aim: 150 };
      onResult({ what: `client, ${reading}`, runs: [peakRss / 1e6], ...limits });
      onResult({ what: `server, client ${reading}`, runs: [peakOf(server.pid)], ...limits });
    } finally {
      await server.stop();
    }
  }
}

/** Peak resident memory of a process in MB, where the system tells it; the 134 MB that the server sends from are its data. */
function peakOf(pid: number): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(match?.[1] ?? Number.NaN) * 1024) / 1e6;
}
