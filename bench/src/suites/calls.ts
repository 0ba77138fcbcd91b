import { compare } from '../measure.ts';
import { type Program, node, runForResult, startServer } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** Round trips of DoAction over one connection, against grpc-js as client and server. */
export async function calls({ rounds, onResult }: SuiteOptions): Promise<void> {
  const ours = await startServer(node('server.js', 'grpc+tcp://127.0.0.1:0'));
  const grpcJs = await startServer(node('grpc-js-server.js'));
  try {
    for (const inFlight of [1, 64]) {
      const run =
        (program: Program): (() => Promise<number>) =>
        async () => {
          const { calls: count = 0, seconds = Number.NaN } = await runForResult(program);
          return count / seconds;
        };
      onResult(
        await compare(
          `DoAction, ${inFlight} in flight`,
          'calls/s',
          { name: 'ours ↔ ours', run: run(node('actions-client.js', ours.address, String(inFlight))) },
          {
            name: 'grpc-js ↔ grpc-js',
            run: run(node('grpc-js-client.js', grpcJs.address, String(inFlight))),
          },
          { rounds, must: 2, aim: 4 },
        ),
      );
    }
  } finally {
    await ours.stop();
    await grpcJs.stop();
  }
}
