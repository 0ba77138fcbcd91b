import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import { type DataServer, serveData } from '@peregrine/server/serve';
import { runShell } from '../../src/shell/shell.ts';

/** What a person at a terminal sees and types. */
interface Terminal {
  /** Types, and waits until that appears which answers it. */
  type(keys: string, answer: RegExp): Promise<string>;
  /** Closes the input, as Ctrl-D does on an empty line, and waits for the end of the shell. */
  end(): Promise<void>;
  readonly ended: Promise<void>;
}

describe('the prompt for SQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-shell-'));
  const historyFile = join(folder, 'history');
  let server: DataServer;
  let client: FlightSqlClient;

  before(async () => {
    writeFileSync(join(folder, 'birds.csv'), 'name,weight\nkestrel,0.2\nperegrine,1.1\n');
    server = await serveData({ data: [join(folder, 'birds.csv')], flightPort: 0, httpPort: undefined });
    client = connectSql(server.location);
  });

  after(async () => {
    await client.close();
    await server.shutdown();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(): Terminal {
    const input = new PassThrough();
    const output = Object.assign(new PassThrough(), { columns: 80 });
    let seen = '';
    /** How much of it was looked at. */
    let read = 0;
    let tell = (): void => undefined;
    output.setEncoding('utf8').on('data', (text: string) => {
      // oxlint-disable-next-line no-control-regex -- what moves the cursor
      seen += text.replaceAll(/\u001b\[\d*[A-Za-z]/g, '');
      tell();
    });
    const ended = runShell(client, {
      input,
      output,
      format: 'table',
      rows: 3,
      historyFile,
      greeting: 'hello\n',
    });
    return {
      ended,
      async type(keys, answer) {
        input.write(keys);
        while (!answer.test(seen.slice(read))) {
          await new Promise<void>((resolve) => {
            tell = resolve;
          });
        }
        const shown = seen.slice(read);
        read = seen.length;
        return shown;
      },
      async end() {
        input.end();
        await ended;
      },
    };
  }

  it('runs statements over several lines, shows what they gave, and remembers them', async () => {
    const terminal = open();
    await terminal.type('', /hello\n.*peregrine> $/s);
    await terminal.type("SELECT 'a;b' AS x,\r", /\.\.\.> $/);
    assert.match(await terminal.type(' 2 AS y;\r', /peregrine> $/), /a;b {2}2\n\(1 row, .*s\)/);
    assert.match(
      await terminal.type('CREATE TABLE t AS SELECT range AS n FROM range(10);\r', /peregrine> $/),
      /\(.*, .*s\)/,
    );
    assert.match(await terminal.type('UPDATE t SET n = n;\r', /peregrine> $/), /\(10 rows changed, /);
    assert.match(
      await terminal.type('FROM t; FROM nowhere;\r', /peregrine> $/),
      /the first 3 rows.*[^]*nowhere/,
    );
    assert.match(await terminal.type('SELEC 1;\r', /peregrine> $/), /syntax error at or near "SELEC"[^]*\^/);
    assert.match(await terminal.type('\\rows 0\r\\timing\rFROM t;\r', /\(\d+ rows\)\npereg/), /\(10 rows\)/);
    await terminal.type('\\q\r', /q/);
    await terminal.ended;
    const remembered = readFileSync(historyFile, 'utf8');
    assert.ok(remembered.includes("SELECT 'a;b' AS x, 2 AS y;\n"), remembered);
  });

  it('cancels a statement that runs by Ctrl-C, and clears what is typed', async () => {
    const terminal = open();
    await terminal.type('', /peregrine> $/);
    const endless = 'SELECT count(*) FROM range(100000000000) a, range(1000) b;\r';
    await terminal.type(endless, /runs; Ctrl-C cancels it/);
    assert.match(await terminal.type('\x03', /peregrine> $/), /\(cancelled\)/);
    await terminal.type('SELECT\r', /\.\.\.> $/);
    await terminal.type('nothing', /nothing/);
    await terminal.type('\x03', /peregrine> $/);
    assert.match(await terminal.type('SELECT 40 + 2 AS answer;\r', /row, [^]*peregrine> $/), /\b42\n/);
    await terminal.end();
  });

  it('runs nothing that stands behind a statement which was cancelled', async () => {
    const terminal = open();
    await terminal.type('', /peregrine> $/);
    const endless = 'SELECT count(*) FROM range(100000000000) a, range(1000) b;';
    await terminal.type(`${endless} CREATE TABLE behind AS SELECT 1;\r`, /runs; Ctrl-C cancels it/);
    assert.match(
      await terminal.type('\x03', /peregrine> $/),
      /\(cancelled\)\n\(1 statement behind it not run\)/,
    );
    const script = join(folder, 'endless.sql');
    writeFileSync(script, `${endless} CREATE TABLE behind AS SELECT 1; CREATE TABLE behind AS SELECT 2`);
    await terminal.type(`\\i ${script}\r`, /runs; Ctrl-C cancels it/);
    assert.match(await terminal.type('\x03', /peregrine> $/), /\(2 statements behind it not run\)/);
    assert.match(await terminal.type('FROM behind;\r', /peregrine> $/), /behind does not exist/);
    await terminal.end();
  });

  it('shows tables and columns, and writes results as lists and into files', async () => {
    const terminal = open();
    await terminal.type('', /peregrine> $/);
    assert.match(await terminal.type('\\d\r', /peregrine> $/), /birds +VIEW/);
    assert.match(await terminal.type('.schema birds\r', /peregrine> $/), /weight +Float64/);
    assert.match(await terminal.type('\\d nowhere\r', /peregrine> $/), /there is no table nowhere/);
    assert.match(
      await terminal.type('\\x\rFROM birds;\r', /2 rows[^]*> $/),
      /── row 1 ─*\nname +kestrel\nweight +0\.2\n/,
    );
    assert.match(
      await terminal.type('\\f csv\rFROM birds;\r', /2 rows[^]*> $/),
      /name,weight\nkestrel,0\.2\n/,
    );
    assert.match(await terminal.type('\\f arrow\r', /peregrine> $/), /arrow holds one result/);
    const file = join(folder, 'out.csv');
    await terminal.type(`\\o ${file}\rFROM birds;\r`, /\(2 rows[^]*peregrine> $/);
    await terminal.type('\\o\r', /peregrine> $/);
    assert.equal(readFileSync(file, 'utf8'), 'name,weight\nkestrel,0.2\nperegrine,1.1\n');
    const script = join(folder, 'script.sql');
    writeFileSync(script, 'SELECT 7 AS seven; SELECT 8 AS eight');
    assert.match(await terminal.type(`\\i ${script}\r`, /eight[^]*peregrine> $/), /seven\n7\n[^]*eight\n8\n/);
    assert.match(await terminal.type('\\nonsense\r', /peregrine> $/), /there is no command \\nonsense/);
    assert.match(await terminal.type('\\?\r', /peregrine> $/), /\\timing/);
    await terminal.end();
  });
});
