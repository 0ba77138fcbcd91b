// Fills examples/data with real tables: flights-200k.arrow of the vega-datasets package as it is, and some of its
// CSV and JSON files as Arrow IPC files. Does nothing where the files are already there.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Bool,
  Field,
  Float64,
  Int32,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  Utf8,
  makeData,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow';
import { autoType, csvParse } from 'd3-dsv';

const target = fileURLToPath(new URL('../examples/data', import.meta.url));
const source = packageFolder('vega-datasets', 'data');
const copied = ['flights-200k.arrow'];
const converted = [
  'airports.csv',
  'cars.json',
  'movies.json',
  'penguins.json',
  'seattle-weather.csv',
  'stocks.csv',
];

mkdirSync(target, { recursive: true });
for (const name of copied) {
  if (!existsSync(join(target, name))) copyFileSync(join(source, name), join(target, name));
}
for (const name of converted) {
  const path = join(target, name.replace(/\.\w+$/, '.arrow'));
  if (existsSync(path)) continue;
  const text = readFileSync(join(source, name), 'utf8');
  const rows = name.endsWith('.csv') ? csvParse(text, autoType) : JSON.parse(text);
  writeFileSync(path, tableToIPC(toTable(rows), 'file'));
}

function toTable(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => {
    const values = rows.map((row) => row[name] ?? null);
    const type = typeOf(values.filter((value) => value !== null));
    return vectorFromArray(
      type instanceof Utf8 ? values.map((value) => (value === null ? null : String(value))) : values,
      type,
    );
  });
  const schema = new Schema(names.map((name, i) => new Field(name, columns[i].type, true)));
  const data = makeData({
    type: new Struct(schema.fields),
    length: rows.length,
    nullCount: 0,
    children: columns.map((column) => column.data[0]),
  });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

/** The package exports no file of its data folder, so the folder is looked for as Node looks for packages. */
function packageFolder(name, inside) {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = paths.map((path) => join(path, name, inside)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the package ${name} is not installed: run npm ci`);
  return found;
}

function typeOf(values) {
  if (values.length > 0 && values.every((value) => value instanceof Date)) return new TimestampMillisecond();
  if (values.length > 0 && values.every((value) => typeof value === 'boolean')) return new Bool();
  if (values.length > 0 && values.every((value) => typeof value === 'number')) {
    return values.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31)
      ? new Int32()
      : new Float64();
  }
  return new Utf8();
}
