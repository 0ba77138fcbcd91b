import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Ticket, connect } from '@peregrine/flight';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { type Started, assertCode, peregrine, startCommand, startServer, story } from './helpers.ts';

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
    const listed = await peregrine('do', server.location, 'list_tables');
    assertCode(listed, 0);
    const { stdout } = listed;
    const names = stdout.trim().split('\n');
    for (const name of ['many', 'gone']) assert.ok(names.includes(name), stdout);
    for (const name of ['hidden', '.hidden', 'inside', 'notes']) assert.ok(!names.includes(name), stdout);
    const broken = await peregrine('get', server.location, 'broken');
    assertCode(broken, 1);
    assert.match(broken.stderr, /broken/);
    assert.ok('problems' in server.ready && Array.isArray(server.ready.problems));
    const origins = server.ready.problems.map(({ origin }: { origin: unknown }) => String(origin));
    assert.deepEqual(origins.sort(), ['broken', 'empty'], JSON.stringify(server.ready.problems));
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
    const { child, end } = startCommand(['get', server.location, 'many', '-f', 'csv'], { readsOutput: true });
    assert.ok(child.stdout !== null);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    assertCode(await end(), 0);
  });

  it('takes an Arrow file or stream from a pipe', async () => {
    for (const format of ['file', 'stream'] as const) {
      const { child, end } = startCommand(['put', server.location, `piped_${format}`], { input: 'pipe' });
      child.stdin?.end(tableToIPC(tableFromArrays({ n: Int32Array.of(1, 2, 3) }), format));
      assertCode(await end(), 0);
      const got = await peregrine('get', server.location, `piped_${format}`, '-f', 'csv');
      assert.equal(got.stdout, 'n\n1\n2\n3\n', story(got));
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
      const half = join(folder, 'half.csv');
      const { child, end } = startCommand(['get', server.location, '--command', endless, '-o', half]);
      while (!readdirSync(folder).some((name) => name.startsWith('half.csv.partial'))) {
        if (child.exitCode !== null || child.signalCode !== null) assert.fail(story(await end()));
        // no pause: the signal comes when the file has just been made
        await new Promise((resolve) => setImmediate(resolve));
      }
      child.kill(signal);
      assertCode(await end(), expected);
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
    assertCode(location, 2);
    assert.match(location.stderr, /not a location that a client can connect to/);
    assertCode(notArrow, 1);
    assert.match(notArrow.stderr, /notes\.txt is no Arrow IPC stream or file/);
    const [away, gone, dir] = await Promise.all([
      peregrine('get', server.location, 'many', '--output', join(folder, 'nowhere', 'x.csv')),
      peregrine('put', server.location, 'x', '--input', join(folder, 'nowhere')),
      peregrine('put', server.location, 'x', '--input', folder),
    ]);
    assertCode(away, 2);
    assert.match(away.stderr, /^peregrine: .*x\.csv cannot be written: there is no folder .*\n$/);
    assertCode(gone, 2);
    assert.match(gone.stderr, /nowhere cannot be read: it is not there/);
    assertCode(dir, 2);
    assert.equal(limited.stdout.split('\n').length, 4);
    assert.equal(limited.stderr, '');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('takes SQL in UTF-8 alone, with the mark of Windows or without', async () => {
    const script = join(folder, 'script.sql');
    writeFileSync(script, "\ufeffSELECT 'é' AS x");
    const marked = await peregrine('sql', server.location, '-i', script);
    assertCode(marked, 0);
    assert.equal(marked.stdout, '{"x":"é"}\n');
    writeFileSync(script, Buffer.from("SELECT 'é' AS x", 'latin1'));
    const latin = await peregrine('sql', server.location, '-i', script);
    assertCode(latin, 2);
    assert.match(latin.stderr, /script\.sql is no text in UTF-8/);
  });

  it('lets no server move the cursor by the text of an error', async () => {
    const failed = await peregrine(
      'sql',
      server.location,
      "SELECT error(concat('a', chr(27), '[31m', chr(10), 'b'))",
    );
    assertCode(failed, 1);
    assert.match(failed.stderr, /a␛\[31m/);
    assert.ok(!failed.stderr.includes('\x1b'));
  });

  it('ends by its own exit code where nobody hears of errors', async () => {
    const { child } = startCommand(['list', 'grpc+unix:///nowhere/at/all.sock'], { readsOutput: true });
    child.stderr?.destroy();
    const [code] = await once(child, 'exit');
    assert.equal(code, 3);
  });

  it('drains and ends well on Ctrl-C', { skip: process.platform === 'win32' }, async () => {
    server.child.kill('SIGINT');
    assertCode(await server.end(), 0);
  });
});
