// The command against servers of others, and the lines that `peregrine serve` tells people to paste.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { conformanceFile, goProgram, pythonPath, startPeer } from './peers.ts';
import type { Peer } from './peers.ts';

/** As it is installed: the bundle. */
const command = fileURLToPath(new URL('../../../packages/cli/bin/peregrine.mjs', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 120_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** Runs the command: what it wrote to stdout, and a failure with all that it said where the exit code is another. */
async function peregrine(code: number, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await run(process.execPath, [command, ...args]);
  assert.equal(outcome.code, code, `peregrine ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

describe("the command against pyarrow.flight's server", () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-command-'));
  let server: Peer;
  let location = '';
  before(async () => {
    server = startPeer(pythonPath(), [conformanceFile('python/server.py')]);
    const [, port = ''] = await server.line(/"port": (\d+)/);
    location = `grpc://127.0.0.1:${port}`;
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lists, describes and fetches flights', async () => {
    const listed = await peregrine(0, 'list', location, '--json', '--criteria', 't');
    assert.deepEqual(
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => /"path":\["(\w+)"\]/.exec(line)?.[1]),
      ['two', 'three'],
    );
    assert.match((await peregrine(0, 'info', location, 'one')).stdout, /^rows +9\n[^]*endpoint +3 of 3/);
    assert.match((await peregrine(0, 'schema', location, 'one')).stdout, /^decimal128 +Decimal/m);
    // Three endpoints of three rows, one of which names a server that is not there first.
    const got = await peregrine(0, 'get', location, 'one', '--format', 'csv');
    assert.equal(got.stdout.trim().split('\n').length, 10, got.stdout);
    assert.match((await peregrine(1, 'get', location, '--command', 'error:internal')).stderr, /^peregrine: /);
  });

  it('puts, and does actions', async () => {
    const file = join(folder, 'some.arrow');
    writeFileSync(file, tableToIPC(tableFromArrays({ n: Int32Array.of(1, 2) }), 'file'));
    await peregrine(0, 'put', location, 'mine', '--input', file);
    assert.match((await peregrine(0, 'actions', location)).stdout, /^echo +gives the body back$/m);
    assert.equal((await peregrine(0, 'do', location, 'echo', '{ "a": 1 }', '--json')).stdout, '{"a":1}\n');
    assert.equal((await peregrine(0, 'do', location, 'many', '3')).stdout, '0\n1\n2\n');
  });
});

describe("peregrine sql against arrow-go's server over SQLite", () => {
  let server: Peer;
  let location = '';
  before(async () => {
    server = startPeer(goProgram('sqlite_flightsql_server'), ['-host', '127.0.0.1', '-port', '0']);
    const [, address = ''] = await server.line(/^Starting SQLite Flight SQL Server on (\S+)/);
    location = address;
  });
  after(() => server.stop());

  it('runs queries, changes and scripts, and tells errors', async () => {
    const script = `CREATE TABLE own (a INTEGER, b TEXT); INSERT INTO own VALUES (1, 'x;y'), (2, NULL);
      SELECT b FROM own ORDER BY a; DROP TABLE own`;
    assert.equal((await peregrine(0, 'sql', location, script)).stdout, '{"b":"x;y"}\n{"b":null}\n');
    const csv = await peregrine(
      0,
      'sql',
      location,
      'SELECT id, keyName FROM intTable ORDER BY id',
      '-f',
      'csv',
      '-n',
      '2',
    );
    assert.equal(csv.stdout, 'id,keyName\n1,one\n2,zero\n');
    assert.match((await peregrine(1, 'sql', location, 'SELEC 1')).stderr, /SELEC/);
  });
});

describe('the lines that peregrine serve tells people to paste', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-banner-'));
  let server: Peer;
  let banner = '';
  before(async () => {
    writeFileSync(join(folder, "bird's.csv"), 'name\nkestrel\n');
    server = startPeer(process.execPath, [command, 'serve', folder, '--flight-port=0', '--http-port=0']);
    while (!banner.includes('Ctrl-C stops')) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      banner = server.output();
      assert.equal(server.process.exitCode, null, banner);
    }
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What stands behind a heading, lines that go on with it. */
  function block(heading: string): string {
    const found = new RegExp(`^${heading} +(.*(?:\\n {12}.*)*)`, 'm').exec(banner)?.[1];
    return (found ?? assert.fail(`no ${heading} in\n${banner}`)).replaceAll(/\n {12}/g, '\n');
  }

  it('work in Python, a browser and a terminal', async () => {
    const python = await run(pythonPath(), ['-c', `${block('Python')}\nprint(table)`]);
    assert.equal(python.code, 0, python.stderr);
    assert.match(python.stdout, /kestrel/);
    const answer = await fetch(block('Browser').trim());
    assert.match(await answer.text(), /"kestrel"/);
    const [curl = '', get = ''] = block('Terminal').split('\n');
    assert.match(execFileSync('sh', ['-c', curl], { encoding: 'utf8', stdio: 'pipe' }), /\| kestrel \|/);
    const own = get.replace(/^npx peregrine/, `'${process.execPath}' '${command}'`);
    assert.equal(execFileSync('sh', ['-c', own], { encoding: 'utf8' }), '{"name":"kestrel"}\n');
  });
});
