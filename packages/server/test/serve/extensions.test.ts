import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine } from '../../src/engine/types.ts';
import { serveData } from '../../src/serve.ts';
import { checkExtensions } from '../../src/serve/extensions.ts';
import { SettingsError } from '../../src/settings/settings.ts';

describe('--extensions', () => {
  let engine: Engine;
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-extensions-'));
  before(async () => {
    engine = await createDuckDbEngine();
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function isTold(words: RegExp): (error: unknown) => true {
    return (error) => {
      assert.ok(error instanceof SettingsError, String(error));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    };
  }

  /** A file whose end says for what it was built: fields of 32 bytes from the last to the first, then a signature. */
  function extension(version: string): string {
    const end = Buffer.alloc(512);
    end.write('CPP', 96);
    end.write(version, 160);
    end.write('linux_amd64', 192);
    end.write('4', 224);
    const path = join(folder, version, 'deeper', 'httpfs.duckdb_extension');
    mkdirSync(join(folder, version, 'deeper'), { recursive: true });
    writeFileSync(path, Buffer.concat([Buffer.alloc(1024), end]));
    return path;
  }

  it('tells of a place that is not there, or has no httpfs', async () => {
    for (const place of [join(folder, 'nowhere'), mkdtempSync(join(folder, 'empty-'))]) {
      await assert.rejects(
        checkExtensions(engine, place),
        isTold(
          /^--extensions .*there is no httpfs\.duckdb_extension .*package duckdb-extension-httpfs of version/,
        ),
      );
    }
  });

  it('tells of one that is not for this DuckDB, or none at all', async () => {
    extension('v0.9.1');
    const remedy =
      /; give the one of DuckDB \d.* for this platform, as PyPI's package duckdb-extension-httpfs has it$/;
    for (const place of [join(folder, 'v0.9.1'), extension('v0.9.2')]) {
      await assert.rejects(checkExtensions(engine, place), isTold(/^--extensions .*v0\.9\./));
      await assert.rejects(checkExtensions(engine, place), isTold(remedy));
    }
    const garbage = join(folder, 'httpfs.duckdb_extension');
    writeFileSync(garbage, 'garbage');
    await assert.rejects(checkExtensions(engine, garbage), isTold(/is not a DuckDB extension/));
    await assert.rejects(checkExtensions(engine, garbage), isTold(remedy));
  });

  it('keeps a server from starting, also where no bucket is served', async () => {
    const extensions = join(folder, 'nowhere');
    await assert.rejects(serveData({ flightPort: 0, extensions }), isTold(/^--extensions /));
  });
});
