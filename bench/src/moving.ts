import type { Side } from './measure.ts';
import { type Program, type RunningServer, node, python, runForResult, startServer } from './processes.ts';

/** Our server and Arrow's, sending the same, and clients of both. */
export interface MovingPair {
  readonly ours: RunningServer;
  readonly theirs: RunningServer;
  /** Our client, at one of the two. */
  ourClient(mode: 'get' | 'get-scoped' | 'put', server: RunningServer): Program;
  /** Arrow's client through pyarrow, at one of the two. */
  theirClient(mode: 'get' | 'put', server: RunningServer): Program;
  stop(): Promise<void>;
}

/**
 * Starts both servers.
 *
 * @param gigabytes - of random doubles, where the options name no other batches
 * @param options - of `programs/options.ts`, which are those of `python/options.py`; both ends get them
 */
export async function startPair(gigabytes: string, options: readonly string[] = []): Promise<MovingPair> {
  const tls = options.includes('--tls') ? 'grpc+tls' : 'grpc+tcp';
  const ours = await startServer(node('server.js', `${tls}://127.0.0.1:0`, gigabytes, ...options));
  const theirs = await startServer(python('server.py', `${tls}://127.0.0.1:0`, gigabytes, ...options));
  return {
    ours,
    theirs,
    ourClient: (mode, { address }) => node('client.js', mode, address, gigabytes, ...options),
    theirClient: (mode, { address }) => python('client.py', mode, address, gigabytes, ...options),
    stop: async () => {
      await Promise.all([ours.stop(), theirs.stop()]);
    },
  };
}

/** A side of a comparison: GB/s of a client, counted by its bytes, or by a number of them that is known. */
export function mover(name: string, program: Program, knownBytes?: number): Side {
  return {
    name,
    run: async () => {
      const { bytes = 0, seconds = Number.NaN } = await runForResult(program);
      return (knownBytes ?? bytes) / 1e9 / seconds;
    },
  };
}

/** The ways of fetching or putting in which ours takes part, and the one that they are compared with. */
export interface Moves {
  readonly sides: readonly Side[];
  readonly peer: Side;
}

/** @param knownBytes - what is moved, where clients do not count it */
export function gets(pair: MovingPair, knownBytes?: number): Moves {
  const { ours, theirs } = pair;
  return {
    sides: [
      mover('ours ← pyarrow', pair.ourClient('get', theirs), knownBytes),
      mover('pyarrow ← ours', pair.theirClient('get', ours), knownBytes),
      mover('ours ← ours', pair.ourClient('get', ours), knownBytes),
    ],
    peer: mover('pyarrow ← pyarrow', pair.theirClient('get', theirs), knownBytes),
  };
}

/** @param knownBytes - what is moved, where clients do not count it */
export function puts(pair: MovingPair, knownBytes?: number): Moves {
  const { ours, theirs } = pair;
  return {
    sides: [
      mover('pyarrow → ours', pair.theirClient('put', ours), knownBytes),
      mover('ours → ours', pair.ourClient('put', ours), knownBytes),
    ],
    peer: mover('pyarrow → pyarrow', pair.theirClient('put', theirs), knownBytes),
  };
}
