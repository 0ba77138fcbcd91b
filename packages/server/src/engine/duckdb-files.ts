import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The library's file in its platform package. */
const fileNames: Readonly<Record<string, string>> = {
  win32: 'duckdb.dll',
  darwin: 'libduckdb.dylib',
  linux: 'libduckdb.so',
};

/**
 * Path of libduckdb in the installed platform package; on Linux those for musl are other ones.
 *
 * @throws Error when there is none
 */
export function findDuckDbLibrary(): string {
  const fileName = fileNames[process.platform];
  if (fileName === undefined) throw new Error('there is no build for it');
  const require = createRequire(import.meta.url);
  const suffixes = process.platform === 'linux' ? ['', '-musl'] : [''];
  const names = suffixes.map(
    (suffix) => `@duckdb/node-bindings-${process.platform}-${process.arch}${suffix}`,
  );
  const found: string[] = [];
  let reason: unknown;
  for (const name of names) {
    try {
      found.push(join(dirname(require.resolve(`${name}/package.json`)), fileName));
    } catch (error) {
      reason ??= error;
    }
  }
  // Installers take the one that fits; only where both are there, the slow question which one fits is asked.
  const library = found.length > 1 && isMusl() ? found[1] : found[0];
  if (library !== undefined) return library;
  throw new Error(`the package ${names[isMusl() ? 1 : 0]} is not installed`, { cause: reason });
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return false;
  const { header } = report;
  return typeof header === 'object' && header !== null && !('glibcVersionRuntime' in header);
}
