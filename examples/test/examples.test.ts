import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const compiled = fileURLToPath(new URL('../src/', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A part of what each example prints. */
const prints: Readonly<Record<string, RegExp>> = {
  'quickstart.js': /symbol: 'A', price: 1.5/,
  'client-middleware.js': /DoGet grpc[^]*ok[^]*3 calls, the slowest was/,
  'parallel-read.js': /here[^]*there[^]*moved[^]*3 parts/,
  'flight-sql.js':
    /3 rows ingested[^]*products: id, name[^]*sales: region, amount[^]*North[^]*name: 'C'[^]*\[NOT_FOUND\] there is no table nowhere/,
  'flight-sql-prepared.js': /3 votes[^]*before the rollback: Ada has 2[^]*after it: Ada has 0/,
  'tls-and-tokens.js':
    /without a token: [^]*UNAUTHENTICATED[^]*UNAUTHENTICATED[^]*hello alice[^]*certificate/,
  'retry-and-circuit-breaker.js': /answered after 3 tries[^]*circuit: open[^]*call 3: UNAVAILABLE/,
  'exchange.js': /"n": 1, "product": 3[^]*"n": 10, "product": 30/,
  'bulk-upload.js': /100 batches became 4; the server has 200000 rows/,
  'server-middleware.js':
    /DoAction failed: UNAUTHENTICATED[^]*send authorization: Bearer TOKEN[^]*DoAction went well[^]*trace: true[^]*on: true/,
  'handshake.js': /log in first[^]*wrong name or password[^]*hello user123/,
  'connection-pool.js': /3 clients, 1 connection[^]*3 calls wait and one was answered, over 2 connections/,
  'streaming-server.js': /up to 30000: 30000 rows[^]*the generator has ended/,
  'feature-store.js': /stored: [^]*done[^]*above 0\.5: {"user": 2}\n2 rows in all/,
  'dataset-server.js': /products: 3 rows of id, name[^]*sales: 2 rows|sales: 2 rows[^]*products: 3 rows/,
};

describe('the examples', () => {
  it('are all known here', () => {
    const files = readdirSync(compiled).filter((name) => name.endsWith('.js'));
    assert.deepEqual(files.sort(), Object.keys(prints).sort());
  });

  for (const [file, pattern] of Object.entries(prints)) {
    it(`${file} runs to its end`, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [`${compiled}${file}`], {
        timeout: 300_000,
      });
      assert.match(stdout, pattern);
    });
  }

  it('have the quick start of the README', () => {
    const readme = readFileSync(`${root}README.md`, 'utf8');
    assert.ok(readme.includes(readFileSync(`${root}examples/src/quickstart.ts`, 'utf8').trim()));
  });
});
