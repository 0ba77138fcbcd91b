import { messageOf } from '@peregrine/flight';
import { type DataServer, InsecureListenerError, exitAtOnce, serveData } from '@peregrine/server/serve';
import { type FlagValue, SettingsError, loadSettings } from '@peregrine/server/settings';
import { UsageError, exitCodes } from '../exit-codes.ts';
import { serveBanner } from '../output/serve-banner.ts';

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
    process.stderr.write('peregrine: finishing running calls; again to stop at once\n');
    void server.shutdown();
  };
  process.on('SIGTERM', () => stop(exitCodes.terminated));
  process.on('SIGINT', () => stop(exitCodes.interrupted));
  if (server.json) {
    const ready = {
      event: 'ready',
      flight: server.location,
      http: server.httpUrl,
      datasets: server.files.tables().length,
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  } else {
    process.stderr.write(serveBanner(server));
  }
  await server.wait();
}

async function start(
  paths: readonly string[],
  flags: Readonly<Record<string, FlagValue>>,
  version: string,
): Promise<DataServer & { readonly json: boolean }> {
  try {
    const settings = await loadSettings({ flags: { ...flags, data: paths } });
    const server = await serveData({
      ...settings,
      version,
      onError: (error, where) => {
        process.stderr.write(`peregrine: ${where}: ${messageOf(error)}\n`);
      },
    });
    return { ...server, json: settings.json };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof InsecureListenerError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}
