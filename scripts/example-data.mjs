// Fills examples/data with real tables of the vega-datasets package, as they are: Parquet, Arrow, CSV and JSON. Does
// nothing where the files are already there.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../examples/data', import.meta.url));
const source = packageFolder('vega-datasets', 'data');
const files = [
  'flights-3m.parquet',
  'flights-200k.arrow',
  'airports.csv',
  'cars.json',
  'movies.json',
  'penguins.json',
  'seattle-weather.csv',
  'stocks.csv',
];

mkdirSync(target, { recursive: true });
for (const name of files) {
  if (!existsSync(join(target, name))) copyFileSync(join(source, name), join(target, name));
  // Earlier versions of this script wrote Arrow files of the same names.
  if (extname(name) !== '.arrow') rmSync(join(target, name.replace(/\.\w+$/, '.arrow')), { force: true });
}

/** The package exports no file of its data folder, so the folder is looked for as Node looks for packages. */
function packageFolder(name, inside) {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = paths.map((path) => join(path, name, inside)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the package ${name} is not installed: run npm ci`);
  return found;
}
