// What inserts and Parquet put into the temporary folder, and what becomes of them where that is not possible.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '@peregrine/flight';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine } from '../../src/engine/types.ts';
import { problemHeaders, problemOf } from '../../src/http/problem.ts';
import { type HttpServer, createHttpServer } from '../../src/http/server.ts';
import { explainTempError } from '../../src/http/temp-file.ts';

describe('The temporary folder', () => {
  const parent = mkdtempSync(join(tmpdir(), 'peregrine-http-temp-'));
  const folder = join(parent, 'own');
  let engine: Engine;
  let server: HttpServer;
  let url: string;

  before(async () => {
    engine = await createDuckDbEngine({ threads: 1 });
    server = createHttpServer({ engine, tempDirectory: folder });
    ({ url } = await server.listen({ host: '127.0.0.1', port: 0 }));
  });
  after(async () => {
    await server.close(0);
    await engine.close();
    rmSync(parent, { recursive: true, force: true });
  });
  beforeEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  const post = (path: string, body: string): Promise<Response> => fetch(url + path, { method: 'POST', body });
  const insert = (): Promise<Response> => post('/insert/csv?table=t&mode=replace', 'a\n1\n2\n');
  const parquet = (): Promise<Response> => post('/?default_format=parquet', 'SELECT 1 AS a');

  it('is made again when it was removed while the server ran', async () => {
    for (const ask of [insert, parquet]) {
      const answer = await ask();
      assert.equal(answer.status, 200, await answer.text());
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it('that cannot be written is told as the state of the server, which lives on', async () => {
    await post('/', 'DROP TABLE IF EXISTS t');
    writeFileSync(folder, 'a file in its place');
    for (const ask of [insert, parquet]) {
      const answer = await ask();
      assert.equal(answer.status, 503);
      const { code, detail } = JSON.parse(await answer.text());
      assert.equal(code, 'UNAVAILABLE');
      assert.match(detail, /^the server's --temp-dir cannot be written: /);
    }
    assert.equal((await post('/', 'SELECT 1 FROM t')).status, 404, 'nothing was made');
    rmSync(folder);
    assert.equal((await insert()).status, 200);
  });

  it('that is full is told as such, whoever meets it: Node or the engine', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const words = 'IO Error: Could not write file "/t/x.parquet": No space left on device';
    for (const error of [full, new FlightResourceExhaustedError(words)]) {
      const problem = problemOf(explainTempError(error));
      assert.deepEqual([problem.status, problem.title], [507, 'Insufficient Storage']);
      assert.equal(problem.code, 'RESOURCE_EXHAUSTED');
      assert.match(problem.detail, /no room left in the server's --temp-dir/);
      assert.equal(problemHeaders(problem)['retry-after'], undefined);
    }
    const other = new FlightInvalidArgumentError('Conversion Error: no');
    assert.equal(explainTempError(other), other);
  });
});
