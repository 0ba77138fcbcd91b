import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightDescriptor, FlightError, Ticket } from '@peregrine/flight';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { type HttpServer, createHttpServer } from '../../src/http/server.ts';
import { type RunningServer, startServer } from './running-server.ts';

/** What changes a view, and what its client is told of it. */
const refused: readonly (readonly [sql: string, told: RegExp])[] = [
  ['INSERT INTO seen VALUES (1)', /^"seen" is a view.* takes no rows.*CREATE TABLE … AS FROM "seen"$/],
  ['INSERT OR REPLACE INTO seen VALUES (1)', /^"seen" is a view.* takes no rows/],
  ['INSERT INTO seen VALUES (1) RETURNING a', /^"seen" is a view.* takes no rows/],
  ['WITH x AS (SELECT 1) INSERT INTO main.seen FROM x', /^"main"."seen" is a view.* takes no rows/],
  ['EXPLAIN INSERT INTO seen VALUES (1)', /^"seen" is a view/],
  ["COPY seen FROM 'nothing.csv'", /^"seen" is a view.* takes no rows/],
  ['UPDATE seen SET a = 2', /^"seen" is a view.* rows cannot be changed.*CREATE TABLE … AS FROM "seen", and/],
  ['UPDATE "od""d "."vïew" SET a = 2 -- update t', /^"od""d "."vïew" is a view/],
  ['DELETE FROM seen WHERE a = 1', /^"seen" is a view.* rows cannot be changed/],
  ['TRUNCATE seen', /^"seen" is a view.* rows cannot be changed/],
  ['TRUNCATE TABLE memory.main.seen', /^"memory"."main"."seen" is a view/],
  [
    'MERGE INTO seen USING t ON seen.a = t.a WHEN MATCHED THEN DELETE',
    /^"seen" is a view.* cannot be changed/,
  ],
  [
    'ALTER TABLE seen ADD COLUMN b INT',
    /^"seen" is a view.* cannot be altered: .*CREATE TABLE … AS FROM "seen"/,
  ],
  ['ALTER TABLE IF EXISTS seen RENAME TO other', /^"seen" is a view.* cannot be altered/],
  ['CREATE INDEX i ON seen (a)', /^"seen" is a view.* gets no index/],
  ['DROP TABLE seen', /^"seen" is a view.* no table of this name to be dropped/],
  [
    'CREATE OR REPLACE TABLE seen AS SELECT 1',
    /^"seen" is a view.* no table takes its place: give another name/,
  ],
];

describe('Changes of a view', () => {
  let running: RunningServer;
  let http: HttpServer;
  let url: string;
  let sql: FlightSqlClient;

  before(async () => {
    running = await startServer();
    sql = running.sql();
    http = createHttpServer({ engine: running.engine });
    ({ url } = await http.listen({ host: '127.0.0.1', port: 0 }));
    await sql.executeUpdate('CREATE VIEW seen AS SELECT 1 AS a; CREATE TABLE t (a INT)');
    await sql.executeUpdate('CREATE SCHEMA "od""d "; CREATE VIEW "od""d "."vïew" AS SELECT 1 AS a');
  });
  after(async () => {
    await http.close(0);
    await running.stop();
  });

  const ways: readonly (readonly [name: string, run: (text: string) => Promise<unknown>])[] = [
    ['an update', (text) => sql.executeUpdate(text)],
    ['a query', (text) => sql.query(text)],
    ['a poll', (text) => sql.pollExecute(text)],
    ['a prepared statement', async (text) => (await sql.prepare(text)).executeUpdate()],
    ['a ticket of plain SQL', (text) => running.flight.doGet(new Ticket(text)).readAll()],
    ['a descriptor of plain SQL', (text) => running.flight.getFlightInfo(FlightDescriptor.forCommand(text))],
    ['a poll of plain SQL', (text) => running.flight.pollFlightInfo(FlightDescriptor.forCommand(text))],
    ['a JSON command', (text) => running.flight.doGet(new Ticket(JSON.stringify({ sql: text }))).readAll()],
    ['a statement of a transaction', inTransaction],
    ['HTTP', byHttp],
  ];

  async function inTransaction(text: string): Promise<void> {
    const transaction = await sql.beginTransaction();
    try {
      await sql.executeUpdate(text, { transaction });
    } finally {
      await transaction.rollback();
    }
  }

  async function byHttp(text: string): Promise<void> {
    const response = await fetch(url, { method: 'POST', body: text });
    assert.equal(response.status, 409, text);
    const problem: unknown = await response.json();
    assert.ok(typeof problem === 'object' && problem !== null && 'detail' in problem);
    throw new FlightError('FAILED_PRECONDITION', String(problem.detail));
  }

  for (const [name, run] of ways) {
    it(`are explained by ${name}`, async () => {
      for (const [text, told] of refused) await assert.rejects(run(text), isTold(told, text));
    });
  }

  it('are explained where a table became one after the statement was prepared', async () => {
    await sql.executeUpdate('CREATE TABLE soon (a INT)');
    const prepared = await sql.prepare('INSERT INTO soon VALUES (?)');
    prepared.bindRows([[1]]);
    assert.equal(await prepared.executeUpdate(), 1n);
    await sql.executeUpdate('DROP TABLE soon; CREATE VIEW soon AS SELECT 1 AS a');
    await assert.rejects(prepared.executeUpdate(), isTold(/^"soon" is a view/, 'prepared'));
    await prepared.close();
  });

  it('say nothing of views where another statement failed', async () => {
    for (const message of [
      'v is not a table',
      'Existing object v is of type View, trying to drop type Table',
    ]) {
      await assert.rejects(sql.query(`SELECT error('${message}')`), /Invalid Input Error/);
    }
    await assert.rejects(sql.query('INSERT INTO missing VALUES (1)'), /missing does not exist/);
  });
});

function isTold(told: RegExp, text: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof FlightError, String(error));
    assert.equal(error.code, 'FAILED_PRECONDITION', `${text}: ${error.message}`);
    assert.match(error.rawMessage, told, text);
    return true;
  };
}
