import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './source-files.ts';

/** A subpath of the package and the file that it stands for. */
export interface Subpath {
  /** As it is imported: `@peregrine/flight/client`. */
  readonly name: string;
  /** The compiled file, from the package's folder. */
  readonly file: string;
  /** What its index file exports, in alphabetical order. */
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** The public API, read from the index files, which name each export. */
export function publicApi(): Subpath[] {
  const manifest = readFileSync(join(packageFolder, 'package.json'), 'utf8');
  const { exports } = JSON.parse(manifest) as { exports: Record<string, { default?: string }> };
  return Object.entries(exports).flatMap(([path, target]) => {
    if (target.default === undefined) return [];
    const source = target.default.replace('./dist/', '').replace(/\.js$/, '.ts');
    const text = readFileSync(join(packageFolder, source), 'utf8');
    return [{ name: `@peregrine/flight${path.slice(1)}`, file: target.default, ...exportedNames(text) }];
  });
}

/** `docs/api-surface.md`, as it should be. */
export function describeApi(subpaths: readonly Subpath[]): string {
  const sections = subpaths.map(({ name, values, types }) => {
    const lines = [...values.map((value) => `- \`${value}\``), ...types.map((type) => `- type \`${type}\``)];
    return `## ${name}\n\n${lines.join('\n')}\n`;
  });
  return `# Every name that the library exports\n\nWritten by \`npm run api-surface\`; a test compares it with the code.\n\n${sections.join('\n')}`;
}

function exportedNames(text: string): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const [, typeOnly, names = ''] of text.matchAll(/\bexport\s+(type\s+)?\{([^}]*)\}/g)) {
    for (const item of names.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '').split(',')) {
      const [, type, name] = /^\s*(type\s+)?(?:\w+\s+as\s+)?(\w+)\s*$/.exec(item) ?? [];
      if (name === undefined) continue;
      (typeOnly === undefined && type === undefined ? values : types).push(name);
    }
  }
  return { values: values.sort(), types: types.sort() };
}
