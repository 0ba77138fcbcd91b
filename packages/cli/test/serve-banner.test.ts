import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BannerFacts, serveBanner } from '../src/output/serve-banner.ts';

function facts(names: readonly string[], more: Partial<BannerFacts> = {}): BannerFacts {
  const table = (name: string): ReturnType<BannerFacts['files']['tables']>[number] => ({
    name,
    origin: `${name}.csv`,
    rows: undefined,
    bytes: 10n,
    problem: name === 'broken' ? 'No magic bytes found' : undefined,
  });
  return {
    location: 'grpc+tcp://127.0.0.1:8815',
    httpUrl: 'http://127.0.0.1:8123',
    engine: {
      info: { vendor: 'DuckDB', vendorVersion: '1.5.5', arrowVersion: undefined, dialect: 'duckdb' },
      state: { kind: 'ready' },
    },
    files: { tables: () => names.map(table), problems: () => [] },
    ...more,
  };
}

describe('the banner of the server', () => {
  it('has lines to paste for each language, of a table that needs no quotes', () => {
    const text = serveBanner(facts(['flights-3m', 'penguins']));
    assert.match(text, /client = flight\.connect\("grpc:\/\/127\.0\.0\.1:8815"\)/);
    assert.match(text, /do_get\(flight\.Ticket\("penguins"\)\)/);
    assert.match(text, /doGet\('penguins'\)/);
    assert.match(text, /jdbc:arrow-flight-sql:\/\/127\.0\.0\.1:8815\/\?useEncryption=false/);
    assert.match(text, /curl http:\/\/127\.0\.0\.1:8123 -d 'FROM penguins LIMIT 10 FORMAT Markdown'/);
    assert.match(text, /npx peregrine get grpc:\/\/127\.0\.0\.1:8815 penguins\n +npx peregrine sql\n/);
  });

  it('quotes names for each language', () => {
    const text = serveBanner(facts([`it's "odd"`]));
    assert.match(text, /flight\.Ticket\("it's \\"odd\\""\)/);
    assert.match(text, /doGet\("it's \\"odd\\""\)/);
    assert.match(text, /-d 'FROM "it'\\''s ""odd""" LIMIT 10 FORMAT Markdown'/);
    assert.match(text, /get grpc:\/\/127\.0\.0\.1:8815 'it'\\''s "odd"'\n/);
  });

  it('tells what cannot be read in a few lines', () => {
    const message = 'CSV Error on Line: 1\nThis file is not utf-8 encoded.\n\n  file = x.csv\n  quote = "\n';
    const problem = { origin: 'broken', message };
    const files = { tables: () => [], problems: () => [problem] };
    const text = serveBanner(facts([], { files }));
    assert.match(
      text,
      /^cannot read broken: CSV Error on Line: 1\n {2}This file is not utf-8 encoded\.\n\n/m,
    );
    assert.doesNotMatch(text, /quote/);
  });

  it('has lines that work without datasets, and on all addresses', () => {
    const text = serveBanner(facts([], { location: 'grpc+tcp://0.0.0.0:8815', httpUrl: 'http://[::]:8123' }));
    assert.match(text, /No datasets yet/);
    assert.match(text, /flight\.connect\("grpc:\/\/127\.0\.0\.1:8815"\)/);
    assert.match(text, /flight\.Ticket\("SELECT 42 AS answer"\)/);
    assert.match(text, /curl http:\/\/\[::1\]:8123 -d 'SELECT 42 AS answer FORMAT Markdown'/);
    assert.match(text, /get grpc:\/\/127\.0\.0\.1:8815 --command 'SELECT 42 AS answer'/);
  });

  it('shows what cannot be read, and takes another table as the example', () => {
    const broken = facts(['broken', 'good']);
    const problems = () => [{ origin: 'broken', message: 'No magic bytes found' }];
    const text = serveBanner({ ...broken, files: { ...broken.files, problems } });
    assert.match(text, /cannot read broken: No magic bytes found/);
    assert.match(text, /flight\.Ticket\("good"\)/);
  });

  it('says that there is no SQL, and has no lines that need it', () => {
    const engine = {
      info: { vendor: 'none', vendorVersion: '', arrowVersion: undefined, dialect: 'generic' as const },
      state: { kind: 'unavailable' as const, reason: 'this server was started with --engine none' },
    };
    const text = serveBanner(facts(['plain'], { engine, httpUrl: undefined }));
    assert.match(text, /no SQL: this server was started with --engine none/);
    assert.doesNotMatch(text, /jdbc|curl/);
    assert.match(text, /get grpc:\/\/127\.0\.0\.1:8815 plain\n/);
  });
});
