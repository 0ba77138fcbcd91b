import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Ticket, connect } from '@peregrine/flight';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { type Started, main, peregrine, startServer } from './helpers.ts';

describe('what a person meets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-first-'));
  const rows = 400_000;
  let server: Started;

  function write(name: string, value: number, count = rows): void {
    const file = join(folder, name);
    writeFileSync(
      `${file}.new`,
      tableToIPC(tableFromArrays({ n: new Int32Array(count).fill(value) }), 'file'),
    );
    renameSync(`${file}.new`, file);
  }

  before(async () => {
    write('many.arrow', 1);
    write('.hidden.arrow', 1, 3);
    write('gone.feather', 7, 3);
    writeFileSync(join(folder, 'broken.arrow'), 'ARROW1 and then nothing of it');
    writeFileSync(join(folder, 'empty.arrow'), '');
    writeFileSync(join(folder, 'notes.txt'), 'no data');
    mkdirSync(join(folder, '.cache'));
    writeFileSync(join(folder, '.cache', 'inside.arrow'), 'x');
    server = await startServer(folder);
  });

  after(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('serves what can be read, beside files that are broken, hidden or something else', async () => {
    const { code, stdout } = await peregrine('do', server.location, 'list_tables');
    assert.equal(code, 0);
    const names = stdout.trim().split('\n');
    for (const name of ['many', 'gone']) assert.ok(names.includes(name), stdout);
    for (const name of ['hidden', '.hidden', 'inside', 'notes']) assert.ok(!names.includes(name), stdout);
    const broken = await peregrine('get', server.location, 'broken');
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /broken/);
  });

  it('sends a file to its end that is replaced or removed meanwhile', async () => {
    const client = connect(server.location);
    const reader = client.doGet(new Ticket('many'));
    let seen = (await reader.readNext())?.data?.numRows ?? 0;
    write('many.arrow', 2);
    for await (const { data } of reader) {
      for (const value of data?.getChild('n') ?? []) assert.equal(value, 1);
      seen += data?.numRows ?? 0;
    }
    assert.equal(seen, rows);
    const again = await client.doGet(new Ticket('many')).readAll();
    assert.equal(again.getChild('n')?.get(0), 2);
    rmSync(join(folder, 'gone.feather'));
    await assert.rejects(client.doGet(new Ticket('gone')).readAll(), /gone/);
    await client.close();
  });

  it('ends well when the reader of a pipe has had enough', async () => {
    const child = spawn(process.execPath, [main, 'get', server.location, 'many', '-f', 'csv'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  it('takes an Arrow file or stream from a pipe', async () => {
    for (const format of ['file', 'stream'] as const) {
      const child = spawn(process.execPath, [main, 'put', server.location, `piped_${format}`], {
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      child.stdin.end(tableToIPC(tableFromArrays({ n: Int32Array.of(1, 2, 3) }), format));
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
      const { stdout } = await peregrine('get', server.location, `piped_${format}`, '-f', 'csv');
      assert.equal(stdout, 'n\n1\n2\n3\n');
    }
  });

  it('leaves no half file and no call behind when it is stopped', {
    skip: process.platform === 'win32',
  }, async () => {
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const endless = 'SELECT range AS n FROM range(100000000000)';
      const child = spawn(
        process.execPath,
        [main, 'get', server.location, '--command', endless, '-o', join(folder, 'half.csv')],
        { stdio: 'inherit' },
      );
      while (!readdirSync(folder).some((name) => name.startsWith('half.csv.partial'))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      child.kill(signal);
      const [code] = await once(child, 'exit');
      assert.equal(code, expected);
      assert.ok(!readdirSync(folder).some((name) => name.startsWith('half.csv')));
      const running = async (): Promise<unknown> =>
        JSON.parse(await (await fetch(`${server.http}/ready`)).text()).running;
      while ((await running()) !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it('says what is wrong with a location, a file and a limit', async () => {
    const file = join(folder, 'notes.txt');
    const [location, notArrow, limited] = await Promise.all([
      peregrine('list', 'http://127.0.0.1:1'),
      peregrine('put', server.location, 'x', '--input', file),
      peregrine('get', server.location, 'many', '--limit', '2', '--format', 'csv'),
    ]);
    assert.equal(location.code, 2);
    assert.match(location.stderr, /not a location that a client can connect to/);
    assert.equal(notArrow.code, 1);
    assert.match(notArrow.stderr, /notes\.txt is no Arrow IPC stream or file/);
    const [away, gone, dir] = await Promise.all([
      peregrine('get', server.location, 'many', '--output', join(folder, 'nowhere', 'x.csv')),
      peregrine('put', server.location, 'x', '--input', join(folder, 'nowhere')),
      peregrine('put', server.location, 'x', '--input', folder),
    ]);
    assert.equal(away.code, 2);
    assert.match(away.stderr, /^peregrine: .*x\.csv cannot be written: it is not there\n$/);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /nowhere cannot be read: it is not there/);
    assert.equal(dir.code, 2);
    assert.equal(limited.stdout.split('\n').length, 4);
    assert.equal(limited.stderr, '');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('drains and ends well on Ctrl-C', { skip: process.platform === 'win32' }, async () => {
    server.child.kill('SIGINT');
    const [code] = await once(server.child, 'exit');
    assert.equal(code, 0);
  });
});
