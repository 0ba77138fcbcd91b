// Arrow IPC against arrow-go by way of Arrow's integration JSON: what Go makes of a JSON file we read, and what we make
// of it Go finds equal; the same in memory among ourselves.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readIpcFile, readIpcStreamSync, writeIpcFile, writeIpcStream } from '@peregrine/flight/ipc';
import { Table } from 'apache-arrow';
import {
  compareAllBatches,
  compareSchemas,
  type IntegrationCase,
  integrationCases,
  readIntegrationJson,
  writeIntegrationJson,
} from './integration-json.ts';
import { goProgram } from './peers.ts';

const run = promisify(execFile);
const cases = integrationCases(20);

/** arrow-go 18.8 reads decimals of 32 and 64 bits from JSON, but writes them scaled, or as null. */
const wrongInGoJson = new Set(['decimal32', 'decimal64']);

function caseTests(
  title: string,
  chosen: readonly IntegrationCase[],
  test: (one: IntegrationCase) => Promise<void> | void,
): void {
  describe(title, () => {
    for (const one of chosen) it(one.name, () => test(one));
  });
}

caseTests('integration JSON that is read and written again', cases, ({ json }) => {
  const { schema, batches } = readIntegrationJson(json);
  const again = readIntegrationJson(writeIntegrationJson(schema, batches));
  assert.equal(compareSchemas(schema, again.schema), undefined);
  assert.equal(compareAllBatches(batches, again.batches), undefined);
});

caseTests('batches through our IPC streams and files', cases, ({ json }) => {
  const { schema, batches } = readIntegrationJson(json);
  const table = new Table(schema, [...batches]);
  for (const compression of [undefined, 'lz4', 'zstd'] as const) {
    const stream = readIpcStreamSync(Buffer.concat(writeIpcStream(table, { compression })), {
      validate: 'full',
    });
    assert.equal(compareSchemas(schema, stream.schema), undefined);
    assert.equal(compareAllBatches(batches, [...stream]), undefined);
    const file = readIpcFile(Buffer.concat(writeIpcFile(table, { compression })), { validate: 'full' });
    assert.equal(compareSchemas(schema, file.schema), undefined);
    assert.equal(compareAllBatches(batches, [...file]), undefined);
  }
});

describe('arrow-go', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-ipc-json-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const go = (mode: string, json: string, arrow: string): Promise<unknown> =>
    run(goProgram('arrow-json-integration-test'), ['-mode', mode, '-json', json, '-arrow', arrow]);

  caseTests('makes IPC files that we read', cases, async ({ name, json }) => {
    const [source, target] = [join(folder, `${name}.json`), join(folder, `${name}-go.arrow`)];
    await writeFile(source, json);
    await go('JSON_TO_ARROW', source, target);
    const expected = readIntegrationJson(json);
    const file = readIpcFile(await readFile(target), { validate: 'full', validateUtf8: true });
    assert.equal(compareSchemas(expected.schema, file.schema), undefined);
    assert.equal(compareAllBatches(expected.batches, [...file]), undefined);
  });

  caseTests('reads the IPC files that we make', cases, async ({ name, json }) => {
    const [source, target] = [join(folder, `${name}.json`), join(folder, `${name}-ours.arrow`)];
    const { schema, batches } = readIntegrationJson(json);
    await writeFile(source, json);
    await writeFile(target, Buffer.concat(writeIpcFile(new Table(schema, [...batches]))));
    await go('VALIDATE', source, target);
  });

  caseTests('reads the JSON that we make', cases, async ({ name, json }) => {
    const [source, target] = [join(folder, `${name}-again.json`), join(folder, `${name}-again.arrow`)];
    const { schema, batches } = readIntegrationJson(json);
    await writeFile(source, writeIntegrationJson(schema, batches));
    await writeFile(target, Buffer.concat(writeIpcFile(new Table(schema, [...batches]))));
    await go('VALIDATE', source, target);
  });

  const rightInGoJson = cases.filter(({ name }) => !wrongInGoJson.has(name));
  caseTests('writes JSON that we read', rightInGoJson, async ({ name, json }) => {
    const [source, arrow, target] = ['', '-back.arrow', '-back.json'].map((end) =>
      join(folder, `${name}${end}`),
    );
    assert.ok(source !== undefined && arrow !== undefined && target !== undefined);
    await writeFile(`${source}.json`, json);
    await go('JSON_TO_ARROW', `${source}.json`, arrow);
    await go('ARROW_TO_JSON', target, arrow);
    const expected = readIntegrationJson(json);
    const actual = readIntegrationJson(await readFile(target, 'utf8'));
    assert.equal(compareSchemas(expected.schema, actual.schema), undefined);
    assert.equal(compareAllBatches(expected.batches, actual.batches), undefined);
  });
});
