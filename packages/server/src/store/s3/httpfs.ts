import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FlightError, FlightNotFoundError, FlightServerError } from '@peregrine/flight/errors';
import { quoteIdentifier, quoteLiteral } from '../../engine/sql-text.ts';
import { type S3Options, s3Settings } from './options.ts';

const fileName = 'httpfs.duckdb_extension';

/** How deep a folder is searched: PyPI's packages have `extensions/VERSION/`, DuckDB's own folder `VERSION/PLATFORM/`. */
const searchDepth = 4;

/**
 * Finds DuckDB's httpfs extension.
 *
 * @param place - the extension's file, or a folder in which it lies somewhere
 * @param version - the engine's version; an extension of another does not load, so a folder that names it goes first
 * @throws FlightNotFoundError when there is none
 */
export async function findHttpfs(place: string, version: string): Promise<string> {
  const stats = await stat(place).catch(() => undefined);
  if (stats?.isFile() === true) return place;
  const found = stats === undefined ? [] : await search(place, searchDepth);
  const best = found.find((path) => path.includes(version.replace(/^v/, ''))) ?? found[0];
  if (best === undefined) {
    throw new FlightNotFoundError(
      `there is no ${fileName} in ${place}; install the package duckdb-extension-httpfs of version ${version}, and give its folder`,
    );
  }
  return best;
}

async function search(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const here = entries.filter(({ name }) => name === fileName).map(({ name }) => join(folder, name));
  const folders = depth === 0 ? [] : entries.filter((entry) => entry.isDirectory());
  const deeper = await Promise.all(folders.map(({ name }) => search(join(folder, name), depth - 1)));
  return [...here, ...deeper.flat()];
}

/** Loads httpfs: from a place, or else the one that DuckDB has or gets by itself. */
export async function loadHttpfs(
  run: (sql: string) => Promise<void>,
  place: string | undefined,
  version: string,
): Promise<void> {
  if (place !== undefined) {
    const path = await findHttpfs(place, version);
    await run(`LOAD ${quoteLiteral(path)}`);
    return;
  }
  try {
    await run('LOAD httpfs');
  } catch {
    try {
      await run('INSTALL httpfs; LOAD httpfs');
    } catch (cause) {
      throw new FlightServerError(
        `s3:// needs DuckDB's extension httpfs ${version}, which is not installed and could not be fetched: ` +
          `${firstLine(cause)}; give its file or folder with --extensions (PyPI's package duckdb-extension-httpfs has it)`,
        { code: 'FAILED_PRECONDITION', cause },
      );
    }
  }
}

/** DuckDB goes on with advice that does not fit here. */
function firstLine(cause: unknown): string {
  const text = cause instanceof FlightError ? cause.rawMessage : String(cause);
  return text.split('\n', 1)[0] ?? '';
}

/** SQL that limits the time of the engine's requests, which it counts in seconds. */
export function timeoutSql(requestTimeoutMs: number): string {
  return `SET GLOBAL http_timeout = ${Math.max(1, Math.ceil(requestTimeoutMs / 1000))}`;
}

/** SQL that tells the engine how to reach one bucket or prefix; the keys stay in memory. */
export function secretSql(name: string, root: string, options: S3Options): string {
  const { credentials, region, endpoint, urlStyle } = s3Settings(options);
  const parts = ['TYPE s3', `SCOPE ${quoteLiteral(root)}`, `REGION ${quoteLiteral(region)}`];
  if (credentials !== undefined) {
    parts.push(
      `KEY_ID ${quoteLiteral(credentials.accessKeyId)}`,
      `SECRET ${quoteLiteral(credentials.secretAccessKey)}`,
    );
    if (credentials.sessionToken !== undefined)
      parts.push(`SESSION_TOKEN ${quoteLiteral(credentials.sessionToken)}`);
  }
  parts.push(
    `ENDPOINT ${quoteLiteral(endpoint.host + endpoint.pathname.replace(/\/$/, ''))}`,
    `URL_STYLE ${quoteLiteral(urlStyle)}`,
    `USE_SSL ${endpoint.protocol === 'https:'}`,
  );
  return `CREATE OR REPLACE SECRET ${quoteIdentifier(name)} (${parts.join(', ')})`;
}
