import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadSettings, settingsOf } from '../../src/settings/load.ts';
import { SettingsError } from '../../src/settings/settings.ts';

describe('settingsOf()', () => {
  const of = (given: object): unknown => Reflect.apply(settingsOf, undefined, [given]);

  it('has the default of what is left out or undefined', () => {
    const settings = settingsOf({ host: undefined, data: undefined, threads: 2, memoryLimit: undefined });
    assert.deepEqual(settings, { ...settingsOf({}), threads: 2 });
    assert.equal(settings.host, '127.0.0.1');
    assert.equal(settings.httpPort, 8123);
    assert.equal(settingsOf({ httpPort: undefined }).httpPort, undefined, 'no HTTP');
  });

  it('takes what a flag gives', async () => {
    const origins = 'https://a.example,chrome-extension://abc,null,*';
    const flags = {
      threads: '2',
      corsOrigins: origins,
      engine: 'adbc:a.so,k=v',
      s3UrlStyle: 'vhost',
      data: ['a'],
    };
    const settings = await loadSettings({
      flags: { ...flags, memoryLimit: '1.5kB', queueTimeout: '596h', httpPort: 'off', readOnly: true },
      variables: {},
    });
    assert.deepEqual(settingsOf(settings), settings);
  });

  const refused: readonly (readonly [given: object, message: string])[] = [
    [{ flightPort: 65_536 }, 'flightPort: 65536 is not a port: 0 to 65535, 0 takes a free one'],
    [{ flightPort: 1.5 }, 'flightPort: 1.5 is not a port: 0 to 65535, 0 takes a free one'],
    [
      { httpPort: 'off' },
      `httpPort: 'off' is not a port: 0 to 65535, 0 takes a free one, and undefined leaves it out`,
    ],
    [{ maxRunning: 0 }, 'maxRunning: 0 is not a whole number from 1 on'],
    [{ maxRunning: '4' }, `maxRunning: '4' is not a whole number from 1 on`],
    [{ maxQueued: -1 }, 'maxQueued: -1 is not a whole number from 0 on'],
    [{ threads: Number.NaN }, 'threads: NaN is not a whole number from 1 on'],
    [{ memoryLimit: 0.5 }, 'memoryLimit: 0.5 is no size: say how many bytes'],
    [{ memoryLimit: '4GB' }, `memoryLimit: '4GB' is no size: say how many bytes`],
    [{ statementTimeout: -1 }, 'statementTimeout: -1 is no time: say how many milliseconds'],
    [{ queueTimeout: Infinity }, 'queueTimeout: Infinity is more than 596h, which is the most'],
    [{ data: './data' }, `data: './data' is no list of texts`],
    [{ data: ['./data', ' '] }, `data: [ './data', ' ' ] is no list of texts`],
    [{ host: '' }, `host: '' is empty`],
    [{ database: 1 }, 'database: 1 is no text'],
    [{ readOnly: 'yes' }, `readOnly: 'yes' is neither true nor false`],
    [{ s3UrlStyle: 'host' }, `s3UrlStyle: 'host' is none of path, vhost`],
    [{ s3SecretAccessKey: 12 }, 's3SecretAccessKey: is no text'],
    [
      { corsOrigins: ['https://a.example', 'https://b.example/'] },
      `corsOrigins: [ 'https://a.example', 'https://b.example/' ] has https://b.example/, which is no origin: say https://app.example.com, or * for all`,
    ],
    [{ corsOrigins: '*' }, `corsOrigins: '*' is no list of origins`],
    [
      { engine: 'duckdb' },
      `engine: 'duckdb' is no engine: say { kind: 'duckdb' }, { kind: 'none' } or { kind: 'adbc', library, entrypoint, options }`,
    ],
    [{ s3Endpoint: 'http//x', data: ['s3://b'] }, '--s3-endpoint: http//x is no address of a server'],
    [{ readonly: true }, 'readonly is no setting; is readOnly meant?'],
    [{ colour: true }, 'colour is no setting'],
  ];
  for (const [given, message] of refused) {
    it(`refuses ${message.split(':')[0]} of ${JSON.stringify(Object.values(given)[0])}`, () => {
      assert.throws(
        () => of(given),
        (error) => error instanceof SettingsError && error.message.startsWith(message),
      );
    });
  }
});
