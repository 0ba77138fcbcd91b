import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { settingDefinitions } from '../../src/settings/definitions.ts';
import { settingFlags, settingsTable } from '../../src/settings/help.ts';
import { checkTogether, loadSettings } from '../../src/settings/load.ts';
import { type ServerSettings, SettingsError } from '../../src/settings/settings.ts';
import { eitherOf, nearestNames } from '../../src/settings/nearest.ts';
import { explainListenError } from '../../src/settings/start-errors.ts';

describe('loadSettings()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-settings-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function file(text: string): string {
    const path = join(folder, 'server.toml');
    writeFileSync(path, text);
    return path;
  }

  function load(flags: Record<string, string | boolean | string[]>, variables: Record<string, string> = {}) {
    return loadSettings({ flags, variables });
  }

  it('has defaults that serve on loopback alone', async () => {
    const settings = await load({});
    assert.equal(settings.host, '127.0.0.1');
    assert.equal(settings.flightPort, 8815);
    assert.equal(settings.httpPort, 8123);
    assert.deepEqual(settings.engine, { kind: 'duckdb' });
    assert.equal(settings.insecure, false);
    assert.deepEqual(settings.data, []);
    assert.equal(settings.s3Region, undefined);
  });

  it('takes a flag before a variable, a variable before the file, the file before the default', async () => {
    const config = file('flight-port = 1\nhttp-port = 1\nthreads = 1\nhost = "::1"\n');
    const settings = await load(
      { config, flightPort: '3' },
      { PEREGRINE_FLIGHT_PORT: '2', PEREGRINE_HTTP_PORT: '2', PEREGRINE_THREADS: '' },
    );
    assert.equal(settings.flightPort, 3);
    assert.equal(settings.httpPort, 2);
    assert.equal(settings.threads, 1);
    assert.equal(settings.host, '::1');
    assert.equal(settings.statementTimeout, 0);
  });

  it('finds the file by its variable, and joins its tables to their keys', async () => {
    const config = file(`
data = ["./a", "s3://b/c"]
read_only = true
statement-timeout = "90s"
[s3]
region = "eu-central-1"
url-style = "path"
`);
    const settings = await load({}, { PEREGRINE_CONFIG: config });
    assert.deepEqual(settings.data, [join(folder, 'a'), 's3://b/c'], 'beside the file');
    assert.equal(settings.readOnly, true);
    assert.equal(settings.statementTimeout, 90_000);
    assert.equal(settings.s3Region, 'eu-central-1');
    assert.equal(settings.s3UrlStyle, 'path');
  });

  it('begins paths of the file beside it, those of flags where the process runs, and ~ at home', async () => {
    const config = file(
      'data = "~/a,b/*.csv"\ndatabase = "../c,d.duckdb"\ntemp-dir = "/e"\ninit = "s3://f/g"\n',
    );
    const settings = await load({ config, writable: '~/h' }, { PEREGRINE_EXTENSIONS: '~' });
    assert.deepEqual(settings.data, [join(homedir(), 'a'), join(folder, 'b', '*.csv')]);
    assert.equal(settings.database, join(folder, '..', 'c,d.duckdb'), 'one path, with a comma in it');
    assert.equal(settings.tempDir, resolve('/e'));
    assert.equal(settings.init, 's3://f/g');
    assert.equal(settings.writable, join(homedir(), 'h'));
    assert.equal(settings.extensions, join(homedir(), ''));
    assert.deepEqual((await load({ data: ['a/b', '~c'] })).data, ['a/b', '~c']);
  });

  it('knows the variables of other tools for S3', async () => {
    const settings = await load(
      {},
      { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_DEFAULT_REGION: 'x', AWS_REGION: 'y' },
    );
    assert.equal(settings.s3AccessKeyId, 'id');
    assert.equal(settings.s3SecretAccessKey, 'secret');
    assert.equal(settings.s3Region, 'y');
  });

  it('reads sizes, times, switches and engines', async () => {
    const settings = await load({
      memoryLimit: '1.5GiB',
      queueTimeout: '500ms',
      httpPort: 'off',
      insecure: true,
      data: ['a', 'b'],
      engine: 'adbc:/x/libadbc.so,AdbcInit,uri=file:a,,b.db,k=v=w',
    });
    assert.equal(settings.memoryLimit, 1.5 * 2 ** 30);
    assert.equal(settings.queueTimeout, 500);
    assert.equal(settings.httpPort, undefined);
    assert.equal(settings.insecure, true);
    assert.deepEqual(settings.data, ['a', 'b']);
    assert.equal((await load({ statementTimeout: '596h' })).statementTimeout, 596 * 3_600_000);
    assert.deepEqual(
      (await load({ corsOrigins: 'https://A.Example:443/, http://b:80,chrome-extension://abc,null,*' }))
        .corsOrigins,
      ['https://a.example', 'http://b', 'chrome-extension://abc', 'null', '*'],
    );
    assert.deepEqual(settings.engine, {
      kind: 'adbc',
      library: '/x/libadbc.so',
      entrypoint: 'AdbcInit',
      options: new Map([
        ['uri', 'file:a,b.db'],
        ['k', 'v=w'],
      ]),
    });
    const { engine } = await load({ engine: 'adbc:x.so,uri=u' });
    assert.deepEqual(engine, {
      kind: 'adbc',
      library: 'x.so',
      entrypoint: undefined,
      options: new Map([['uri', 'u']]),
    });
  });

  it('says where a wrong value was given', async () => {
    const wrong = async (
      pattern: RegExp,
      flags: Record<string, string>,
      variables: Record<string, string> = {},
    ) => {
      await assert.rejects(load(flags, variables), (error) => {
        assert.ok(error instanceof SettingsError);
        assert.match(error.message, pattern);
        return true;
      });
    };
    await wrong(/^--flight-port: 99999 is not a port: 0 to 65535/, { flightPort: '99999' });
    await wrong(/^PEREGRINE_MEMORY_LIMIT: lots is no size/, {}, { PEREGRINE_MEMORY_LIMIT: 'lots' });
    await wrong(/^threads in .*server\.toml: 0 is not a whole number/, { config: file('threads = 0') });
    await wrong(/sets port, which is no setting; is flight-port or http-port meant\?/, {
      config: file('port = 1'),
    });
    await wrong(/is no TOML: line 2, column 3: (?!Invalid).*2: {2}a b/s, {
      config: file('threads = 1\na b'),
    });
    await wrong(/settings file .*missing\.toml cannot be read: it is not there/, {
      config: join(folder, 'missing.toml'),
    });
    await wrong(/^--statement-timeout: 30 is no time: say 500ms/, { statementTimeout: '30' });
    await wrong(/^--queue-timeout: 597h is more than 596h/, { queueTimeout: '597h' });
    for (const origin of ['app.example.com', 'https://*.example.com', 'https://a.example/path', 'a b'])
      await wrong(/^--cors-origins: .* which is no origin: say https:/, {
        corsOrigins: `https://a,${origin}`,
      });
    await wrong(/^--engine: oracle is no engine/, { engine: 'oracle' });
    await wrong(/^--engine: .* has "u", which is no key=value/, { engine: 'adbc:x.so,f,u' });
    await wrong(/^--s3-url-style: x is none of path, vhost/, { s3UrlStyle: 'x' });
  });

  it('refuses a place for puts where all of them are refused, and says which of both to leave out', async () => {
    const refused = async (
      message: RegExp,
      flags: Record<string, string | boolean>,
      variables: Record<string, string> = {},
    ): Promise<void> => {
      await assert.rejects(load({ ...flags }, variables), (error) => {
        assert.ok(error instanceof SettingsError);
        assert.match(error.message, message);
        return true;
      });
    };
    await refused(
      /^--read-only refuses every put, and --writable is .*leave out --read-only .* or --writable /,
      {
        readOnly: true,
        writable: 'store',
      },
    );
    await refused(
      /^PEREGRINE_READ_ONLY .* and writable in .*server\.toml is .*leave out PEREGRINE_READ_ONLY .* or writable in/,
      { config: file('writable = "store"\n') },
      { PEREGRINE_READ_ONLY: '1' },
    );
    const both = await load({ writable: 's' }, { PEREGRINE_READ_ONLY: '0' });
    assert.equal(both.writable, 's');
    const asked = { data: [], readOnly: true, s3Endpoint: undefined, writable: 's3://b' };
    assert.throws(() => checkTogether(asked), /^SettingsError: --read-only/);
  });

  it('refuses an endpoint that is none, where somebody gave it or a bucket is served', async () => {
    const bad = [
      'http//127.0.0.1:9000',
      'ftp://a',
      'http://',
      'a b',
      'http://a:99999',
      'http://u:p@a',
      'a?b=1',
    ];
    for (const s3Endpoint of bad) {
      await assert.rejects(load({ s3Endpoint }), (error: unknown) => {
        assert.ok(error instanceof SettingsError);
        assert.ok(
          error.message.startsWith(`--s3-endpoint: ${s3Endpoint} is no address of a server`),
          error.message,
        );
        assert.match(error.message, /say http:\/\/127\.0\.0\.1:9000 or /);
        return true;
      });
    }
    for (const s3Endpoint of ['http://127.0.0.1:9000', '[::1]:9000', 'minio', 'https://a.example/below/'])
      assert.equal((await load({ s3Endpoint, data: ['s3://b'] })).s3Endpoint, s3Endpoint);
    // What was meant for other tools.
    const variables = { AWS_ENDPOINT_URL: 'http//minio' };
    assert.equal((await load({}, variables)).s3Endpoint, 'http//minio');
    await assert.rejects(
      load({ data: ['x', 's3://b'] }, variables),
      /^SettingsError: AWS_ENDPOINT_URL: http\/\/minio is/,
    );
    await assert.rejects(load({ writable: 's3://b' }, variables), /^SettingsError: AWS_ENDPOINT_URL: /);
    await assert.rejects(
      load({}, { PEREGRINE_S3_ENDPOINT: 'a b' }),
      /^SettingsError: PEREGRINE_S3_ENDPOINT: a b is/,
    );
  });

  it('never repeats a secret', async () => {
    await assert.rejects(load({}, { PEREGRINE_S3_SECRET_ACCESS_KEY: ' ' }), {
      message: 'PEREGRINE_S3_SECRET_ACCESS_KEY: is empty',
    });
  });
});

/** Three values for each setting, all different from the default and, where there are that many, from each other. */
const samples: { readonly [K in keyof ServerSettings]: readonly [string, string, string] } = {
  config: ['a.toml', 'b.toml', 'c.toml'],
  data: ['a,b', 'c', 'd,e'],
  host: ['127.0.0.2', '127.0.0.3', '127.0.0.4'],
  flightPort: ['1', '2', '3'],
  httpPort: ['1', 'off', '3'],
  insecure: ['true', 'false', 'true'],
  corsOrigins: ['https://a', 'https://b,https://c', '*'],
  engine: ['none', 'adbc:a.so', 'adbc:b.so,Init,key=value'],
  database: ['a.duckdb', 'b.duckdb', 'c.duckdb'],
  init: ['a.sql', 'b.sql', 'c.sql'],
  readOnly: ['true', 'false', 'true'],
  writable: ['a', 'b', 's3://c/d'],
  externalAccess: ['true', 'false', 'true'],
  extensions: ['a', 'b', 'c'],
  memoryLimit: ['1GB', '2GiB', '3000'],
  datasetMemory: ['1GB', '2GiB', '3000'],
  tempDir: ['a', 'b', 'c'],
  threads: ['1', '2', '3'],
  maxRunning: ['1', '2', '3'],
  maxQueued: ['0', '2', '3'],
  queueTimeout: ['1s', '2ms', '3m'],
  statementTimeout: ['1s', '2ms', '3m'],
  shutdownGrace: ['1s', '2ms', '0'],
  s3Region: ['a', 'b', 'c'],
  s3Endpoint: ['http://a', 'http://b', 'http://c'],
  s3AccessKeyId: ['a', 'b', 'c'],
  s3SecretAccessKey: ['a', 'b', 'c'],
  s3SessionToken: ['a', 'b', 'c'],
  s3UrlStyle: ['path', 'vhost', 'path'],
  json: ['true', 'false', 'true'],
};

/** Paths of a settings file begin where it lies. */
function beside(paths: string, folder: string): string {
  return paths
    .split(',')
    .map((path) => join(folder, path))
    .join(',');
}

function keysOf(table: typeof samples): (keyof ServerSettings)[] {
  const isKey = (key: string): key is keyof ServerSettings => key in table;
  return Object.keys(table).filter(isKey);
}

describe('each setting', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-settings-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const key of keysOf(samples)) {
    const definition = settingDefinitions[key];
    const variable = `PEREGRINE_${definition.name.toUpperCase().replaceAll('-', '_')}`;
    const [flag, inVariable, inFile] = samples[key];
    const positional = definition.positional === true;

    it(`${definition.name} is taken from its flag, its variable and its key, in that order`, async () => {
      assert.equal(
        key,
        definition.name.replaceAll(/-(\w)/g, (_all, letter: string) => letter.toUpperCase()),
      );
      const load = async (
        flags: Record<string, string | boolean | string[]>,
        variables: Record<string, string>,
      ): Promise<unknown> => (await loadSettings({ flags, variables }))[key];
      const flags = { [key]: positional ? flag.split(',') : flag === 'true' ? true : flag };
      const fromFlag = definition.kind.parse(flag);
      const fromVariable = definition.kind.parse(inVariable);
      const isOwnPath = definition.paths !== undefined && !inFile.includes('://');
      const fromFile = definition.kind.parse(isOwnPath ? beside(inFile, folder) : inFile);
      if (key === 'config') {
        for (const name of ['a.toml', 'b.toml']) writeFileSync(join(folder, name), '');
        const [a, b] = [join(folder, 'a.toml'), join(folder, 'b.toml')];
        assert.equal(await load({ config: a }, { PEREGRINE_CONFIG: b }), a);
        assert.equal(await load({}, { PEREGRINE_CONFIG: b }), b);
        return;
      }
      const config = join(folder, `${definition.name}.toml`);
      writeFileSync(config, `${definition.name} = ${JSON.stringify(inFile)}\n`);
      const variables = { PEREGRINE_CONFIG: config };
      assert.deepEqual(await load({}, {}), definition.initial);
      assert.deepEqual(await load({}, variables), fromFile);
      assert.deepEqual(await load({}, { ...variables, [variable]: inVariable }), fromVariable);
      assert.deepEqual(await load(flags, { ...variables, [variable]: inVariable }), fromFlag);
      assert.notDeepEqual(fromFlag, definition.initial);
      assert.notDeepEqual(fromFlag, fromVariable);
      assert.notDeepEqual(fromVariable, fromFile);
    });

    it(`${definition.name} stands in the help and in docs/server.md`, () => {
      if (!positional) {
        const found = settingFlags().find(({ flags }) => flags.split(' ')[0] === `--${definition.name}`);
        assert.ok(found?.description.includes(variable), found?.description);
        assert.ok(found?.description.includes(definition.description));
      }
      assert.ok(documentation().includes(variable));
    });
  }
});

function documentation(): string {
  return readFileSync(new URL('../../../../../docs/server.md', import.meta.url), 'utf8');
}

describe('the documentation of settings', () => {
  it('has the table that is made of the settings', () => {
    const table = /<!-- settings -->\n([^]*?)\n<!-- end of settings -->/.exec(documentation())?.[1];
    assert.equal(table, settingsTable());
  });

  it('gives a flag for each, with its variable', () => {
    const port = settingFlags().find(({ flags }) => flags === '--flight-port <port>');
    assert.match(port?.description ?? '', /env: PEREGRINE_FLIGHT_PORT, default: 8815/);
    assert.ok(settingFlags().every(({ flags }) => !flags.startsWith('--data ')));
  });
});

describe('explainListenError()', () => {
  it('says what to do about a port that is taken, however deep the cause', () => {
    const cause = Object.assign(new Error('listen'), { code: 'EADDRINUSE' });
    const told = explainListenError(new Error('outer', { cause }), { host: '127.0.0.1' }, 'http-port', 8123);
    assert.match(told ?? '', /port 8123 on 127.0.0.1 is taken: .*--http-port/);
    assert.equal(explainListenError(new Error('other'), { host: 'x' }, 'http-port', 1), undefined);
  });
});

describe('nearestNames()', () => {
  const names = ['flight-port', 'http-port', 'host', 'memory-limit', 's3-region', 'threads'];

  it('finds names that begin or end alike, or are a slip of the hand away', () => {
    for (const [wrong, expected] of [
      ['port', 'flight-port or http-port'],
      ['flihgt-port', 'flight-port'],
      ['htp-port', 'http-port'],
      ['hsot', 'host'],
      ['memory', 'memory-limit'],
      ['memory-limit-gb', 'memory-limit'],
      ['region', 's3-region'],
      ['thread', 'threads'],
      ['zzz', ''],
      ['', ''],
    ] as const) {
      assert.equal(eitherOf(nearestNames(wrong, names)), expected, wrong);
    }
    assert.equal(eitherOf(['a', 'b', 'c']), 'a, b or c');
  });
});
