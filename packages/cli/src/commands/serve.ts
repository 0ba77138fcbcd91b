import * as module from 'node:module';
import { messageOf } from '@peregrine/flight/errors';
import { type DataServer, InsecureListenerError, exitAtOnce, serveData } from '@peregrine/server/serve';
import { type FlagValue, type ServerSettings, SettingsError, loadSettings } from '@peregrine/server/settings';
import { UsageError, exitCodes } from '../exit-codes.ts';
import { serveBanner } from '../output/serve-banner.ts';

/**
 * What a person is told who ends a server, and has to wait.
 *
 * @returns undefined when there is nothing to wait for
 */
export function waitingLine(calls: number, graceMs: number): string | undefined {
  if (calls === 0 || graceMs === 0) return undefined;
  const seconds = Math.max(1, Math.round(graceMs / 1000));
  return `peregrine: waits for ${calls} running call${calls === 1 ? '' : 's'}, ${seconds} s at most; again to stop at once\n`;
}

/** How long buckets, which may be silent, and files may take before a person is told what the server waits for. */
const slowBucketsMs = 1_500;
const slowFilesMs = 5_000;

/** What a person is told who waits for the start, and after how many milliseconds; undefined where nothing is served. */
export function startingLine({
  data,
  writable,
}: Pick<ServerSettings, 'data' | 'writable'>):
  | { readonly line: string; readonly afterMs: number }
  | undefined {
  const paths = [...data, ...(writable === undefined ? [] : [writable])];
  if (paths.length === 0) return undefined;
  const buckets = paths.filter((path) => path.startsWith('s3://'));
  return buckets.length === 0
    ? {
        line: `peregrine: looks into the files of ${paths.join(', ')}, which are many or slow to reach\n`,
        afterMs: slowFilesMs,
      }
    : {
        line: `peregrine: waits for ${buckets.join(', ')}, and starts without after some seconds\n`,
        afterMs: slowBucketsMs,
      };
}

/**
 * How long a server may take to end, in milliseconds: its running calls, then 10 s for the engine. The driver of another
 * server waits longer than that where the server hangs; what it asked for has been given up by then.
 */
export function endWithinMs(graceMs: number): number {
  return Math.min(graceMs + 10_000, 0x7fff_ffff);
}

/** Serves files, buckets and a database until SIGTERM or SIGINT. */
export async function serve(
  paths: readonly string[],
  flags: Readonly<Record<string, FlagValue>>,
  version: string,
): Promise<void> {
  const server = await start(paths, flags, version);
  let stopping = false;
  const stop = (code: number): void => {
    if (stopping) {
      void exitAtOnce(code);
      return;
    }
    stopping = true;
    const waitsFor = waitingLine(server.runningCalls(), server.shutdownGrace);
    if (waitsFor !== undefined) process.stderr.write(waitsFor);
    void server.shutdown();
    const late = setTimeout(() => {
      process.stderr.write('peregrine: the engine does not end, and is left to the system\n');
      void exitAtOnce(code);
    }, endWithinMs(server.shutdownGrace));
    void server.wait().then(() => clearTimeout(late));
  };
  process.on('SIGTERM', () => stop(exitCodes.terminated));
  process.on('SIGINT', () => stop(exitCodes.interrupted));
  if (server.json) {
    const ready = {
      event: 'ready',
      flight: server.location,
      http: server.httpUrl,
      datasets: server.files.tables().length,
      problems: server.files.problems(),
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  } else {
    process.stderr.write(serveBanner(server));
  }
  setTimeout(keepCompiled, keepCompiledAfterMs).unref();
  await server.wait();
}

/** When what was compiled is kept, in milliseconds after the start: first clients come first. */
const keepCompiledAfterMs = 2_000;

/** Has Node keep what it compiled for the next start, which it would do at the end alone, and not when it is killed. */
function keepCompiled(): void {
  // From Node 22.10 on.
  if ('flushCompileCache' in module) module.flushCompileCache();
}

async function start(
  paths: readonly string[],
  flags: Readonly<Record<string, FlagValue>>,
  version: string,
): Promise<DataServer & Pick<ServerSettings, 'json' | 'shutdownGrace'>> {
  let slow: NodeJS.Timeout | undefined;
  try {
    const settings = await loadSettings({ flags: { ...flags, data: paths } });
    const waiting = startingLine(settings);
    if (waiting !== undefined) slow = setTimeout(() => process.stderr.write(waiting.line), waiting.afterMs);
    const server = await serveData({
      ...settings,
      version,
      onError: (error, where) => {
        process.stderr.write(`peregrine: ${where}: ${messageOf(error)}\n`);
      },
    });
    return { ...server, json: settings.json, shutdownGrace: settings.shutdownGrace };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof InsecureListenerError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(slow);
  }
}
