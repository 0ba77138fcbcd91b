import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FlightUnavailableError } from '@peregrine/flight/errors';
import type { Engine } from '../engine/types.ts';
import { explainViews } from '../sql/view-error.ts';
import type { Store } from '../store/types.ts';
import { isLoopback } from '../loopback.ts';
import type { HttpApp } from './app.ts';
import { type GivenHttpLimits, httpLimits } from './context.ts';
import { type HttpAddress, createHttpListener } from './listener.ts';
import { createRunningQueries } from './running-queries.ts';

export type { HttpAddress } from './listener.ts';

/** How the HTTP side runs. */
export interface HttpServerOptions {
  /** Runs the statements. */
  readonly engine: Engine;
  /** Tables that lie in files: made ready for statements, and shown where the engine takes none. Default: none. */
  readonly store?: Pick<Store, 'fileOf' | 'get' | 'tables' | 'use'> | undefined;
  /** Folder for inserts and Parquet results on their way; the engine must be allowed to read and write it. Default: a folder of the system's temporary one. */
  readonly tempDirectory?: string | undefined;
  /** What `/health` and `/openapi.json` call the version. Default: `unknown`. */
  readonly version?: string | undefined;
  /** Origins whose web pages may call. Default: none but the server's own. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Why the server is not ready, undefined when it is. Default: as the engine says. */
  readonly notReady?: (() => string | undefined) | undefined;
  /** Told of results that broke off and of errors with a status from 500 on. Default: nobody. */
  readonly onError?: ((error: unknown, where: string) => void) | undefined;
  /** Other limits than those of `limits.ts`. */
  readonly limits?: GivenHttpLimits | undefined;
}

/** The HTTP side of a data server. */
export interface HttpServer {
  /**
   * Begins to listen. What answers is loaded when the first request comes, or a moment later: requests wait for it.
   *
   * @param address - port 0 takes a free one
   * @throws Node's error when the port is taken
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<HttpAddress>;
  /** Statements that run for its clients. */
  runningStatements(): number;
  /**
   * Takes no more requests, lets running statements end, and closes.
   *
   * @param graceMs - milliseconds after which statements that still run are cancelled. Default: 10,000
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * When what answers is loaded where nobody has asked yet, in milliseconds after the server began to listen. It is most of
 * what HTTP has to load, and a server that serves Flight is ready without.
 */
const loadAfterMs = 50;

/** Makes the HTTP side of a data server: SQL, inserts, tables, probes and metrics over one engine. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const engine = explainViews(options.engine);
  const limits = httpLimits(options.limits ?? {});
  const running = createRunningQueries();
  const corsOrigins = options.corsOrigins ?? [];
  let closing = false;
  let loopback = false;
  let loading: Promise<HttpApp> | undefined;
  let soon: NodeJS.Timeout | undefined;

  const listener = createHttpListener(corsOrigins, loaded);

  /** What answers; where it cannot be loaded, the next who asks for it tries again. */
  function loaded(): Promise<HttpApp> {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      options.onError?.(error, 'loading the HTTP side');
      throw error;
    });
    return loading;
  }

  async function load(): Promise<HttpApp> {
    const { createHttpApp } = await import('./app.ts');
    return createHttpApp({
      server: listener.server,
      corsOrigins,
      isLoopback: () => loopback,
      isClosing: () => closing,
      context: {
        engine,
        store: options.store,
        running,
        limits,
        tempDirectory: options.tempDirectory ?? join(tmpdir(), 'peregrine'),
        version: options.version ?? 'unknown',
        notReady: () => {
          if (closing) return 'the server is ending';
          if (options.notReady !== undefined) return options.notReady();
          return engine.state.kind === 'ready' ? undefined : engine.state.reason;
        },
        onError: options.onError ?? (() => undefined),
      },
    });
  }

  return {
    async listen({ host, port }) {
      loopback = isLoopback(host);
      const address = await listener.listen({ host, port });
      soon = setTimeout(() => {
        // Whoever asks next is told of a failure.
        loaded().catch(() => undefined);
      }, loadAfterMs);
      return address;
    },
    runningStatements: () => running.list().length,
    async close(graceMs = 10_000) {
      closing = true;
      clearTimeout(soon);
      const until = performance.now() + graceMs;
      listener.closeIdle();
      while (running.list().length > 0 && performance.now() < until) await delay(20);
      for (const query of running.list()) {
        query.cancel(new FlightUnavailableError('the server ends; ask again in a moment'));
      }
      const app = await loading?.catch(() => undefined);
      await app?.close();
      await listener.close();
    },
  };
}
