import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { settingFlags } from '@peregrine/server/settings';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { type Started, assertCode, main, peregrine, startCommand, startServer, story } from './helpers.ts';

describe('the command, against its own server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-cli-'));
  const table = tableFromArrays({ id: Int32Array.of(1, 2, 3), name: ['a', 'b', 'c'] });
  let server: Started;

  before(async () => {
    writeFileSync(join(folder, 'small.arrow'), tableToIPC(table, 'file'));
    writeFileSync(join(folder, 'stream.arrows'), tableToIPC(table, 'stream'));
    server = await startServer(folder);
  });

  after(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lists, describes and fetches', async () => {
    const [list, info, schema, ndjson, csv, limited] = await Promise.all([
      peregrine('list', server.location, '--json'),
      peregrine('info', server.location, 'small', '--json'),
      peregrine('schema', server.location, 'stream'),
      peregrine('get', server.location, 'small', '--quiet'),
      peregrine('get', server.location, 'stream', '--format', 'csv', '--quiet'),
      peregrine('get', server.location, 'small', '--format', 'table', '--limit', '1'),
    ]);
    for (const outcome of [list, info, schema, ndjson, csv, limited]) assertCode(outcome, 0);
    assert.deepEqual(
      list.stdout
        .trim()
        .split('\n')
        .map((line) => /"path":\["(\w+)"\]/.exec(line)?.[1]),
      ['small', 'stream'],
    );
    assert.match(info.stdout, /"totalRecords": 3/);
    assert.match(schema.stdout, /^id +Int32/m);
    assert.equal(ndjson.stdout, '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n{"id":3,"name":"c"}\n');
    assert.equal(csv.stdout, 'id,name\n1,a\n2,b\n3,c\n');
    assert.match(limited.stdout, /^ 1 {2}a$/m);
    assert.doesNotMatch(limited.stdout, /^ 2 {2}b$/m);
  });

  it('writes files that are whole or not there, and sends them back', async () => {
    const file = join(folder, 'out.feather');
    const got = await peregrine('get', server.location, 'small', '--output', file, '--quiet');
    assertCode(got, 0);
    assert.deepEqual(tableFromIPC(readFileSync(file)).toArray().map(String), table.toArray().map(String));
    const put = await peregrine('put', server.location, 'copy', '--input', file);
    assertCode(put, 0);
    assert.equal(put.stderr, '', 'progress is for terminals');
    const again = await peregrine('get', server.location, 'copy', '--quiet');
    assert.equal(again.stdout.split('\n').length, 4);
    const missing = join(folder, 'missing.csv');
    assertCode(await peregrine('get', server.location, 'nothing', '--output', missing), 1);
    assert.ok(!existsSync(missing));
    const odd = join(folder, 'odd.parquet');
    const refused = await peregrine('get', server.location, 'small', '--output', odd);
    assertCode(refused, 2);
    assert.match(refused.stderr, /\.parquet says no format/);
    assert.ok(!existsSync(odd));
  });

  it('does actions, and tells what went wrong by text and exit code', async () => {
    const [pong, unknown, usage, unreachable] = await Promise.all([
      peregrine('do', server.location, 'ping'),
      peregrine('do', server.location, 'nonsense'),
      peregrine('get', server.location),
      peregrine('list', 'grpc://127.0.0.1:1', '--timeout', '5'),
    ]);
    assert.equal(pong.stdout, 'pong\n', story(pong));
    assertCode(unknown, 1);
    assert.match(unknown.stderr, /there is no action "nonsense".*NOT_FOUND/);
    assertCode(usage, 2);
    assert.match(usage.stderr, /say which flight/);
    assertCode(unreachable, 3);
  });

  it('says which word is missing or stands in the wrong place', async () => {
    const [action, excess, host] = await Promise.all([
      peregrine('do', server.location),
      peregrine('do', server.location, 'drop_table', 'small', 'table'),
      peregrine('sql', 'localhost', 'SELECT 1'),
    ]);
    for (const wrong of [action, excess, host]) assertCode(wrong, 2);
    assert.match(action.stderr, /say which action; peregrine actions lists/);
    assert.match(excess.stderr, /the body has to be one word for the shell, so put quotes around it/);
    assert.match(host.stderr, /localhost names no port: say localhost:8815/);
  });

  it('takes JSON into an action and out of it, by an argument, a file or a pipe', async () => {
    const file = join(folder, 'body.json');
    writeFileSync(file, '"small"');
    const [stats, lines, notJson, both, missing, dropped] = await Promise.all([
      peregrine('do', server.location, 'get_stats', '--json'),
      peregrine('do', server.location, 'list_tables', '--json'),
      peregrine('do', server.location, 'ping', '{oh', '--json'),
      peregrine('do', server.location, 'ping', '1', '--input', file),
      peregrine('do', server.location, 'ping', '--input', join(folder, 'no.json')),
      peregrine('do', server.location, 'drop_table', '--input', file, '--json'),
    ]);
    assertCode(stats, 0);
    assert.match(stats.stdout, /^\{"table_count":\d+,[^\n]*\}\n$/);
    const names: unknown = JSON.parse(lines.stdout);
    assert.ok(typeof names === 'string' && names.split('\n').includes('small'), story(lines));
    assertCode(notJson, 2);
    assert.match(notJson.stderr, /the body is no JSON, which --json asks for: \{oh/);
    assertCode(both, 2);
    assert.match(both.stderr, /give a body or --input, not both/);
    assertCode(missing, 2);
    assert.match(missing.stderr, /no\.json cannot be read: it is not there/);
    // Quotes and all came to the server, which has no dataset of such a name.
    assertCode(dropped, 1);
    assert.match(dropped.stderr, /\\"small\\"/);
    const { child, end } = startCommand(['do', server.location, 'ping', '--input', '-'], { input: 'pipe' });
    child.stdin?.end('anything');
    assert.equal((await end()).stdout, 'pong\n');
  });

  it('runs SQL of the command line, of a file and of a pipe in one session, and writes the rows', async () => {
    const script = join(folder, 'script.sql');
    writeFileSync(
      script,
      'CREATE TEMP TABLE own AS SELECT 1 AS a; INSERT INTO own VALUES (2); FROM own -- all\n',
    );
    const out = join(folder, 'answer.csv');
    const [one, file, limited, written, wrong, arrow, empty, many, nobody, noFile] = await Promise.all([
      peregrine('sql', server.location, "SELECT 42 AS answer, ';' AS mark"),
      peregrine('sql', server.location, '--input', script, '-f', 'csv'),
      peregrine('sql', server.location, 'FROM range(10)', '-n', '2'),
      peregrine('sql', server.location, 'FROM small', '-o', out),
      peregrine('sql', server.location, 'SELECT 1; SELEC 2; SELECT 3'),
      peregrine('sql', server.location, 'SELECT 1; SELECT 2', '-f', 'arrow'),
      peregrine('sql', server.location, ' -- nothing'),
      peregrine('sql', server.location, 'SELECT', '1'),
      peregrine('sql', 'grpc://127.0.0.1:1', 'SELECT 1'),
      peregrine('sql', server.location, '--input', join(folder, 'no.sql')),
    ]);
    assert.equal(one.stdout, '{"answer":42,"mark":";"}\n', story(one));
    assert.equal(file.stdout, 'a\n1\n2\n', story(file));
    assert.equal(file.stderr, '');
    assert.equal(limited.stdout, '{"range":0}\n{"range":1}\n');
    assertCode(written, 0);
    assert.equal(readFileSync(out, 'utf8'), 'id,name\n1,a\n2,b\n3,c\n');
    assertCode(wrong, 1);
    assert.equal(wrong.stdout, '{"1":1}\n', 'what follows the error is not run');
    assert.match(wrong.stderr, /^peregrine: Parser Error: .*"SELEC"/);
    assertCode(arrow, 2);
    assert.match(arrow.stderr, /arrow holds the rows of one statement, and there are 2/);
    assertCode(empty, 2);
    assert.match(empty.stderr, /there is no SQL to run/);
    assertCode(many, 2);
    assertCode(nobody, 3);
    assert.match(nobody.stderr, /Is the server running there\?/);
    assertCode(noFile, 2);
    const { child, end } = startCommand(['sql', server.location], { input: 'pipe' });
    child.stdin?.end('SELECT 1 AS a;\nSELECT 2 AS b');
    assert.equal((await end()).stdout, '{"a":1}\n{"b":2}\n');
  });

  it('adds a stack in the words of the source, on request', async () => {
    const { end } = startCommand(['do', server.location, 'nonsense'], { env: { PEREGRINE_DEBUG: '1' } });
    const outcome = await end();
    assertCode(outcome, 1);
    assert.match(outcome.stderr, /\bcli[/\\]src[/\\]commands[/\\]actions\.ts:\d+/);
  });

  it('tells what was meant, in lines of 80 columns', async () => {
    const [help, sqlHelp, near, far, verb, far2, words, two, csv] = await Promise.all([
      peregrine('--help'),
      peregrine('help', 'sql'),
      peregrine('help', 'sqll'),
      peregrine('help', 'nonsense'),
      peregrine('serv'),
      peregrine('nonsense'),
      peregrine('sql', 'select', '1', 'FROM', 'small'),
      peregrine('sql', 'FROM', 'small'),
      peregrine('put', server.location, 'x', '--input', main),
    ]);
    assertCode(help, 0);
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 80 || line.startsWith('Exit'), line);
    assertCode(sqlHelp, 0);
    assert.match(sqlHelp.stdout, /^Usage: peregrine sql /);
    assertCode(near, 2);
    assert.match(near.stderr, /there is no command sqll; is sql meant\?/);
    assertCode(far, 2);
    assert.match(far.stderr, /there is no command nonsense: say serve, sql, .* or help/);
    assert.match(verb.stderr, /unknown command 'serv'\n\(Did you mean serve\?\)/);
    assertCode(far2, 2);
    assert.match(far2.stderr, /peregrine --help lists the commands/);
    assertCode(words, 2);
    assert.match(words.stderr, /put quotes around it: "select 1 FROM small"/);
    assertCode(two, 2);
    assert.match(two.stderr, /put quotes around it: "FROM small"/);
    assertCode(csv, 1);
    assert.match(
      csv.stderr,
      /no Arrow IPC stream or file.*\(INVALID_DATA\)\nCSV, JSON and Parquet can be inserted/s,
    );
  });

  it('says who has the port', async () => {
    const port = new URL(server.location.replace('grpc+tcp', 'http')).port;
    const second = await peregrine('serve', '--flight-port', port, '--http-port', '0');
    assertCode(second, 2);
    assert.match(second.stderr, new RegExp(`port ${port} on 127.0.0.1 is taken: .*--flight-port`));
    const httpPort = new URL(server.http).port;
    const third = await peregrine('serve', '--flight-port', '0', '--http-port', httpPort);
    assertCode(third, 2);
    assert.match(third.stderr, new RegExp(`port ${httpPort} on 127.0.0.1 is taken: .*--http-port`));
    const open = await peregrine('serve', '--host', '0.0.0.0', '--flight-port', '0');
    assertCode(open, 2);
    assert.match(open.stderr, /--insecure/);
  });

  it('says what is wrong with settings, files and databases', async () => {
    const [port, config, missing, broken] = await Promise.all([
      peregrine('serve', '--flight-port', 'x'),
      peregrine('serve', '--config', join(folder, 'no.toml')),
      peregrine('serve', join(folder, 'not-there')),
      peregrine('serve', '--flight-port', '0', '--http-port', '0', '--init', join(folder, 'no.sql')),
    ]);
    assertCode(port, 2);
    assert.match(port.stderr, /--flight-port: x is not a port/);
    assertCode(config, 2);
    assert.match(config.stderr, /no\.toml cannot be read/);
    assertCode(missing, 1);
    assert.match(missing.stderr, /not-there/);
    assertCode(broken, 2);
    assert.match(broken.stderr, /--init .*no\.sql cannot be read/);
    const help = (await peregrine('serve', '--help')).stdout.replaceAll(/\s+/g, ' ');
    for (const { flags, description } of settingFlags()) {
      assert.ok(help.includes(` ${flags} ${description}`), flags);
    }
  });

  it('says what it was that cannot be opened, and what to do', async () => {
    const free = ['serve', '--flight-port', '0', '--http-port', '0'];
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [database, sql, engine, temp, typo, flag, value, port] = await Promise.all([
      peregrine(...free, '--database', file('junk.duckdb', 'junk')),
      peregrine(...free, '--init', file('bad.sql', 'SELEC 1;')),
      peregrine(...free, '--engine', `adbc:${join(folder, 'no.so')}`),
      peregrine(...free, '--temp-dir', join(file('taken', ''), 'inside')),
      peregrine(...free, '--config', file('typo.toml', 'flight-prt = 1\n')),
      peregrine(...free, '--flight-prt', '1'),
      peregrine(...free, '--config', file('value.toml', '[s3]\nurl-style = "left"\n')),
      peregrine('serve', '--port', '1'),
    ]);
    assertCode(database, 1);
    assert.match(
      database.stderr,
      /--database .*junk\.duckdb cannot be opened: .*not a valid DuckDB database/,
    );
    assertCode(sql, 1);
    assert.match(
      sql.stderr,
      /^peregrine: --init .*bad\.sql: Parser Error: .* \(INVALID_ARGUMENT\)\n\nLINE 1: SELEC 1;\n +\^\n$/,
    );
    assertCode(engine, 1);
    assert.match(engine.stderr, /--engine adbc:.*no\.so cannot be opened/);
    assertCode(temp, 2);
    assert.match(temp.stderr, /--temp-dir: the folder .*inside cannot be made: /);
    assertCode(typo, 2);
    assert.match(typo.stderr, /typo\.toml sets flight-prt, which is no setting; is flight-port meant\?/);
    assertCode(flag, 2);
    assertCode(port, 2);
    assert.match(
      port.stderr,
      /unknown option '--port'\n\(Did you mean one of --flight-port, --http-port\?\)/,
    );
    assert.match(flag.stderr, /^peregrine: unknown option '--flight-prt'\n\(Did you mean --flight-port\?\)/);
    assertCode(value, 2);
    assert.match(value.stderr, /s3-url-style in .*value\.toml: left is none of path, vhost/);
  });

  it('answers SQL by HTTP, and keeps it within what is served', async () => {
    const ask = async (sql: string): Promise<Response> => fetch(server.http, { method: 'POST', body: sql });
    assert.equal(await (await ask('SELECT 40 + 2 AS x FORMAT CSVWithNames')).text(), 'x\n42\n');
    const outside = await ask(`SELECT * FROM read_text('${main.replaceAll("'", "''")}')`);
    assert.ok(outside.status >= 400, String(outside.status));
    assert.match(await outside.text(), /disabled by configuration|not allowed|Permission/i);
    const parquet = await ask('SELECT 1 AS a FORMAT Parquet');
    assert.equal(parquet.status, 200, await parquet.clone().text());
  });

  it('drains and ends well on SIGTERM', { skip: process.platform === 'win32' }, async () => {
    const other = await startServer();
    other.child.kill('SIGTERM');
    const outcome = await other.end();
    assertCode(outcome, 0);
    assert.equal(outcome.stderr, '', 'there was nothing to wait for');
  });
});
