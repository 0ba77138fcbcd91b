import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSettings } from '@peregrine/server/settings';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Manifest {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const manifest: Manifest = JSON.parse(read('packages/cli/package.json'));

/** The instructions of the Dockerfile, lines that go on joined, comments left out. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? assert.fail(`no instruction: ${line}`);
    return { name, rest };
  });
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const inImage = (wanted: string): string =>
  lastStage.find(({ name }) => name === wanted)?.rest ?? assert.fail(`the image has no ${wanted}`);
const build = instructions.find(({ name, rest }) => name === 'RUN' && rest.includes('npm ci'))?.rest ?? '';

describe('the Dockerfile', () => {
  it('copies what the bundle leaves out, and nothing that is not there', () => {
    const copied = /&& cp -r (.+) \/app\/node_modules\/$/.exec(build)?.[1]?.split(' ') ?? [];
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)];
    // koffi's own native parts have a scope of theirs.
    const folders = new Set([...names.map((name) => name.split('/')[0] ?? name), '@koromix']);
    assert.deepEqual(copied.toSorted(), [...folders].map((name) => `node_modules/${name}`).sort());
    for (const folder of copied) assert.ok(existsSync(join(root, folder)), `${folder} is not there`);
    assert.ok(build.includes(`npm pack --workspace ${manifest.name} `), build);
    assert.ok(build.includes(`-C /app/node_modules/${manifest.name} `), build);
    assert.deepEqual(
      instructions.filter(({ name }) => name === 'COPY').map(({ rest }) => rest),
      ['. .', '--from=build /app ./'],
    );
    const ignored = read('.dockerignore').split('\n');
    for (const name of ['**/node_modules', '**/dist', '.git', '.peers'])
      assert.ok(ignored.includes(name), `${name} would be sent to the builder`);
    // Without .git and what is built, `npm ci` and the build still find all that they need.
    for (const name of ['package-lock.json', 'scripts/bundle.mjs', 'packages/cli/bin/peregrine.mjs'])
      assert.ok(!ignored.includes(name) && existsSync(join(root, name)), name);
  });

  it('starts the command that the package has, as a process that gets the signals', () => {
    const entry: unknown = JSON.parse(inImage('ENTRYPOINT'));
    const bin = manifest.bin['peregrine'] ?? '';
    assert.deepEqual(entry, ['node', `/app/node_modules/${manifest.name}/${bin}`, 'serve']);
    assert.ok(manifest.files.includes(bin.split('/')[0] ?? ''), 'the package has it');
    assert.equal(inImage('WORKDIR'), '/app');
    const [major] = /\d+/.exec(inImage('FROM')) ?? [];
    const [least] = /\d+/.exec(manifest.engines.node) ?? [];
    assert.ok(Number(major) >= Number(least), `Node ${major} and ${manifest.engines.node}`);
  });

  it('serves the volume on the ports that it names, as a user who may write there', async () => {
    const variables = Object.fromEntries(
      inImage('ENV')
        .split(' ')
        .map((pair) => {
          const [name = '', value = ''] = pair.split('=', 2);
          return [name, value] as const;
        }),
    );
    const settings = await loadSettings({ flags: {}, variables });
    const volume = inImage('VOLUME');
    assert.deepEqual(settings.data, [volume]);
    assert.equal(settings.host, '0.0.0.0');
    assert.equal(settings.insecure, true);
    assert.equal(inImage('EXPOSE'), `${settings.flightPort} ${settings.httpPort}`);
    const user = inImage('USER');
    assert.equal(user, 'node', 'which the base image has');
    const order = lastStage.map(({ name, rest }) => `${name} ${rest}`);
    const made = order.indexOf(`RUN mkdir ${volume} && chown ${user}:${user} ${volume}`);
    assert.ok(made > 0 && made < order.indexOf(`USER ${user}`), order.join('\n'));
    assert.ok(
      order.indexOf(`VOLUME ${volume}`) > made,
      'a volume keeps the owner that the folder had before',
    );
  });

  it('is healthy while the server is ready, over HTTP or without it', async () => {
    const command = /CMD (\[.*\])$/.exec(inImage('HEALTHCHECK'))?.[1] ?? '';
    const [, ...args]: string[] = JSON.parse(command);
    const check = (variables: Record<string, string>): Promise<number | null> =>
      new Promise((resolve) => {
        const child = execFile(process.execPath, args, { env: { ...process.env, ...variables } }, () =>
          resolve(child.exitCode),
        );
      });
    let status = 200;
    const server: Server = createServer((request, response) => {
      response.writeHead(request.url === '/ready' ? status : 404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    try {
      assert.equal(await check({ PEREGRINE_HTTP_PORT: port }), 0);
      assert.equal(await check({ PEREGRINE_HTTP_PORT: 'off', PEREGRINE_FLIGHT_PORT: port }), 0);
      status = 503;
      assert.equal(await check({ PEREGRINE_HTTP_PORT: port }), 1);
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
    assert.equal(await check({ PEREGRINE_HTTP_PORT: port }), 1);
    assert.equal(await check({ PEREGRINE_HTTP_PORT: 'off', PEREGRINE_FLIGHT_PORT: port }), 1);
  });
});
