/**
 * TPC-H: the 22 queries by ADBC's Flight SQL driver and by our client, against our server over data that DuckDB's own
 * extension made, and the answers that DuckDB itself gave. `PEREGRINE_TPCH_SCALE` is the scale factor (default 0.1).
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readIpcFile } from '@peregrine/flight/ipc';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import type { Table } from 'apache-arrow';
import { type Peer, conformanceFile, ownCommand, pythonPath, startPeer } from './peers.ts';

const scale = process.env['PEREGRINE_TPCH_SCALE'] ?? '0.1';
const script = conformanceFile('python/tpch.py');
const queries = Array.from({ length: 22 }, (_, i) => i + 1);

/** The rows in their order, each value as JavaScript has it, decimals and 64-bit integers to the last digit. */
function rowsOf(table: Table): unknown[][] {
  const columns = table.schema.fields.map(({ type }, i) => {
    const column = table.getChildAt(i);
    return [...(column ?? [])].map((value: unknown) =>
      value instanceof Uint32Array ? `${String(type)} ${value.join()}` : value,
    );
  });
  return Array.from({ length: table.numRows }, (_, row) => columns.map((column) => column[row]));
}

function typesOf(table: Table): string[] {
  return table.schema.fields.map((field) => `${field.name} ${String(field.type)}`);
}

describe(`TPC-H at scale factor ${scale}`, () => {
  let folder: string;
  let server: Peer;
  let sql: FlightSqlClient;
  let uri: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-tpch-'));
    execFileSync(pythonPath(), [script, 'make', folder, scale]);
    const database = `--database=${join(folder, 'tpch.duckdb')}`;
    const options = ['--read-only', '--flight-port=0', '--http-port=off', '--json'];
    server = startPeer(process.execPath, [ownCommand(), 'serve', database, ...options]);
    const [, port = ''] = await server.line(/"flight":"[^"]*:(\d+)"/);
    uri = `127.0.0.1:${port}`;
    sql = connectSql(`grpc+tcp://${uri}`);
  });
  after(async () => {
    await sql.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("equals DuckDB's answers by the ADBC driver", async () => {
    const driver = startPeer(pythonPath(), [script, 'check', folder, `grpc://${uri}`]);
    const code = await driver.exit;
    const outcomes = driver
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"query"'))
      .map((line): unknown => JSON.parse(line));
    assert.deepEqual(
      outcomes,
      queries.map((query) => ({ query, error: null })),
      driver.output(),
    );
    assert.equal(code, 0, driver.output());
  });

  for (const query of queries) {
    it(`equals DuckDB's answer by our client, query ${query}`, async () => {
      const file = join(folder, `q${String(query).padStart(2, '0')}`);
      const expected = readIpcFile(await readFile(`${file}.arrow`)).readAll();
      const text = await readFile(`${file}.sql`, 'utf8');
      const answer = await sql.query(text);
      assert.deepEqual(typesOf(answer), typesOf(expected));
      const rows = rowsOf(expected);
      assert.notEqual(rows.length, 0);
      assert.deepEqual(rowsOf(answer), rows);
    });
  }
});
