import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder. Tests run from dist/test. */
export const packageFolder: string = fileURLToPath(new URL('../../', import.meta.url));

/** A TypeScript file of this package. */
export interface SourceFile {
  /** From the package's folder, with slashes: `src/http2/frames.ts`. */
  readonly path: string;
  readonly text: string;
}

/** All TypeScript files under a folder of this package, generated ones left out. */
export function sourceFiles(folder: 'src' | 'test'): SourceFile[] {
  return readdirSync(join(packageFolder, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({
      path: relative(packageFolder, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    }))
    .filter(({ path }) => !path.includes('/gen/'))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The text without comments and without what stands in quotes, for looks at the code alone. */
export function codeOnly(text: string): string {
  return text.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g,
    (found) => (found.startsWith('/') ? ' ' : "''"),
  );
}

/** What the text imports and exports from, statically or not. */
export function importedModules(text: string): string[] {
  const statements = /^(?:import|export)\s(?:[^;'"]*\sfrom\s*)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  return [...text.matchAll(statements)].map(([, name, dynamic]) => name ?? dynamic ?? '');
}
