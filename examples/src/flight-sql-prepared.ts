// Prepared statements with parameters, and transactions: a server that counts votes, and its client.
import { FlightError, FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight';
import { connectSql, FlightSqlServer } from '@peregrine/flight/sql';
import { Field, Int32, Schema, Table, Utf8, vectorFromArray } from 'apache-arrow';

const votes = new Map<string, number>();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

// The server knows two statements: VOTE FOR ? and SELECT votes FOR ?
const parameterSchema = new Schema([new Field('candidate', new Utf8(), true)]);
const resultSchema = new Schema([new Field('votes', new Int32(), false)]);

const bound = new Map<string, string>();
const transactions = new Map<string, Map<string, number>>();
let nextId = 0;

const server = new FlightSqlServer({
  createPreparedStatement({ query }) {
    const isUpdate = query.startsWith('VOTE');
    if (!isUpdate && !query.startsWith('SELECT')) throw new FlightInvalidArgumentError(`cannot run ${query}`);
    nextId += 1;
    return {
      handle: bytes(`statement ${nextId}`),
      datasetSchema: isUpdate ? undefined : resultSchema,
      parameterSchema,
      isUpdate,
    };
  },
  closePreparedStatement(handle) {
    bound.delete(textOf(handle));
  },
  // binding: the parameters stay with the handle until the statement runs
  async doPutPreparedStatementQuery({ preparedStatementHandle }, parameters) {
    const candidate = (await parameters.readAll()).getChildAt(0)?.get(0);
    bound.set(textOf(preparedStatementHandle), String(candidate));
    return undefined;
  },
  getFlightInfoPreparedStatement: () => ({ schema: resultSchema, totalRecords: 1 }),
  doGetPreparedStatement({ preparedStatementHandle }) {
    const candidate = bound.get(textOf(preparedStatementHandle));
    if (candidate === undefined) throw new FlightError('FAILED_PRECONDITION', 'bind a candidate first');
    return new Table(resultSchema, { votes: vectorFromArray([votes.get(candidate) ?? 0], new Int32()) });
  },
  // an update runs once for each row of parameters
  async doPutPreparedStatementUpdate(_command, parameters) {
    const table = await parameters.readAll();
    for (const candidate of table.getChildAt(0) ?? []) {
      votes.set(String(candidate), (votes.get(String(candidate)) ?? 0) + 1);
    }
    return table.numRows;
  },
  beginTransaction() {
    nextId += 1;
    transactions.set(`transaction ${nextId}`, new Map(votes));
    return bytes(`transaction ${nextId}`);
  },
  endTransaction({ transactionId, action }) {
    const before = transactions.get(textOf(transactionId));
    if (before === undefined) throw new FlightNotFoundError('there is no such transaction');
    transactions.delete(textOf(transactionId));
    if (action === 'commit') return;
    votes.clear();
    for (const [candidate, count] of before) votes.set(candidate, count);
  },
});
await server.listen('grpc+tcp://127.0.0.1:0');

const sql = connectSql(`grpc+tcp://127.0.0.1:${server.port}`);
const count = await sql.prepare('SELECT votes FOR ?');
const show = async (when: string): Promise<void> => {
  const table = await count.bind(['Ada']).query();
  console.log(`${when}: Ada has ${String(table.getChild('votes')?.get(0))}`);
};
await (async () => {
  // closed, and rolled back unless committed, at the end of the block
  await using vote = await sql.prepare('VOTE FOR ?');
  await using transaction = await sql.beginTransaction();
  console.log(`${await vote.bindRows([['Ada'], ['Grace'], ['Ada']]).executeUpdate()} votes`);
  await show('before the rollback');
  console.log(`open: ${transaction.isOpen}`);
})();
await show('after it');
await count.close();

await sql.close();
await server.shutdown();
