import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Field, Int64, Null, Schema } from 'apache-arrow';
import { FlightError, FlightNotFoundError, FlightUnimplementedError } from '../../src/errors.ts';
import { cookieMiddleware } from '../../src/middleware/cookie-middleware.ts';
import {
  CancelFlightInfoResult,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  Ticket,
} from '../../src/model/index.ts';
import { createSessionHandlers } from '../../src/server/index.ts';
import {
  type CommandStatementIngest,
  type FlightSqlHandlers,
  SqlInfo,
  type SqlTable,
  withColumnMetadata,
  XdbcDataType,
} from '../../src/sql/index.ts';
import { bytes, people, peopleSchema, startSql, text } from './fixture.ts';

describe('our Flight SQL client and server', () => {
  it('run queries', async () => {
    const asked: string[] = [];
    await using both = await startSql({
      getFlightInfoStatement: ({ query, transactionId }) => {
        asked.push(query, text(transactionId));
        return { schema: peopleSchema, handle: bytes('h1'), totalRecords: 2 };
      },
      getSchemaStatement: () => peopleSchema,
      doGetStatement: (handle) => people(text(handle), 'b'),
    });
    const { sql } = both;
    const info = await sql.execute('SELECT 1', { transaction: bytes('tx') });
    assert.deepEqual(asked, ['SELECT 1', 'tx']);
    assert.equal(info.totalRecords, 2n);
    assert.equal(info.endpoints.length, 1);
    const table = await sql.readAll(info);
    assert.deepEqual(
      table.toArray().map((row) => row?.toJSON()),
      [
        { id: 1, name: 'h1' },
        { id: 2, name: 'b' },
      ],
    );
    let rows = 0;
    for await (const { data } of sql.read(await sql.execute('SELECT 2'))) rows += data?.numRows ?? 0;
    assert.equal(rows, 2);
    assert.deepEqual((await sql.executeSchema('SELECT 1')).names, ['id', 'name']);
    assert.equal((await sql.query('SELECT 3')).numRows, 2);
    assert.ok(
      (await sql.readAll(info)).schema.fields.every(
        (field, i) => field.nullable === info.schema?.fields[i]?.nullable,
      ),
    );
  });

  it('run updates, also before the stream of the client ends', async () => {
    await using both = await startSql({
      doPutStatementUpdate: ({ query }) => query.length,
      doPutSubstraitPlanUpdate: ({ plan }) => BigInt(plan.plan.length),
    });
    assert.equal(await both.sql.executeUpdate('DELETE'), 6n);
    const plan = { plan: bytes('abc'), version: '1' };
    assert.equal(await both.sql.executeSubstraitUpdate(plan), 3n);
  });

  it('ingest rows, with all options', async () => {
    const commands: CommandStatementIngest[] = [];
    await using both = await startSql({
      async doPutStatementIngest(command, rows) {
        commands.push(command);
        return (await rows.readAll()).numRows;
      },
    });
    const { sql } = both;
    assert.equal(await sql.executeIngest(people('a', 'b'), { table: 't' }), 2n);
    const [batch] = people('x').batches;
    assert.ok(batch);
    const options = {
      table: 't',
      ifMissing: 'fail',
      ifExists: 'replace',
      schema: 's',
      catalog: 'c',
      temporary: true,
      transaction: bytes('tx'),
      options: { a: 'b' },
    } as const;
    assert.equal(await sql.executeIngest(batch, options), 1n);
    assert.equal(await sql.executeIngest({ schema: peopleSchema, batches: [] }, { table: 't' }), 0n);
    const { transaction, ...same } = options;
    assert.deepEqual(commands[1], { kind: 'CommandStatementIngest', ...same, transactionId: transaction });
    assert.deepEqual([commands[0]?.ifMissing, commands[0]?.ifExists], ['create', 'append']);
  });

  it('ingest the result of a query as it comes', async () => {
    const seen: unknown[] = [];
    await using both = await startSql({
      getFlightInfoStatement: () => ({ schema: peopleSchema, handle: bytes('h') }),
      doGetStatement: () => people('a', 'b', 'c'),
      async doPutStatementIngest(_command, rows) {
        const table = await rows.readAll();
        seen.push(...(table.getChild('name') ?? []));
        return table.numRows;
      },
    });
    const { sql } = both;
    assert.equal(await sql.executeIngest(sql.read(await sql.execute('SELECT')), { table: 't' }), 3n);
    const [endpoint] = (await sql.execute('SELECT')).endpoints;
    assert.ok(endpoint);
    assert.equal(await sql.executeIngest(sql.flight.doGet(endpoint.ticket), { table: 't' }), 3n);
    assert.deepEqual(seen, ['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('cancel an ingest whose rows fail midway', async () => {
    let start = (): void => undefined;
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    let seen: unknown;
    await using both = await startSql({
      async doPutStatementIngest(_command, rows) {
        start();
        try {
          return (await rows.readAll()).numRows;
        } catch (error) {
          seen = error;
          throw error;
        }
      },
    });
    async function* broken(): AsyncGenerator<ReturnType<typeof people>['batches'][number]> {
      yield* people('a').batches;
      await started;
      throw new Error('the source broke');
    }
    const rows = Object.assign(broken(), { schema: peopleSchema });
    await assert.rejects(both.sql.executeIngest(rows, { table: 't' }), /the source broke/);
    await both.server.shutdown();
    assert.ok(seen instanceof FlightError);
    assert.equal(seen.code, 'CANCELLED');
  });

  it('prepare, bind and run statements, with new handles', async () => {
    const log: string[] = [];
    const handlers: FlightSqlHandlers = {
      createPreparedStatement: ({ query }) => ({
        handle: bytes(query),
        datasetSchema: peopleSchema,
        parameterSchema: new Schema([new Field('$1', new Int64(), true), new Field('$2', new Null(), true)]),
        isUpdate: false,
      }),
      async doPutPreparedStatementQuery({ preparedStatementHandle }, parameters) {
        const table = await parameters.readAll();
        log.push(`bind ${text(preparedStatementHandle)} ${JSON.stringify(table.toArray().map(String))}`);
        return bytes(`${text(preparedStatementHandle)}+`);
      },
      getFlightInfoPreparedStatement: ({ preparedStatementHandle }) => {
        log.push(`info ${text(preparedStatementHandle)}`);
        return { schema: peopleSchema };
      },
      getSchemaPreparedStatement: ({ preparedStatementHandle }) => {
        log.push(`schema ${text(preparedStatementHandle)}`);
        return peopleSchema;
      },
      doGetPreparedStatement: ({ preparedStatementHandle }) => {
        log.push(`get ${text(preparedStatementHandle)}`);
        return people('a');
      },
      async doPutPreparedStatementUpdate({ preparedStatementHandle }, parameters) {
        log.push(`update ${text(preparedStatementHandle)}`);
        return (await parameters.readAll()).numRows;
      },
      closePreparedStatement: (handle) => {
        log.push(`close ${text(handle)}`);
      },
    };
    await using both = await startSql(handlers);
    const prepared = await both.sql.prepare('p');
    assert.deepEqual(prepared.datasetSchema?.names, ['id', 'name']);
    assert.equal(prepared.isUpdate, false);
    assert.equal((await prepared.bind([1, 'x']).query()).numRows, 1);
    await prepared.executeSchema();
    prepared.bindRows([[1n, null], { 1: 2, $2: 'y' }]);
    assert.equal(await prepared.executeUpdate(), 2n);
    await prepared.close();
    await prepared.close();
    await assert.rejects(prepared.execute(), /closed/);
    assert.deepEqual(log, [
      'bind p ["{\\"$1\\": 1, \\"$2\\": \\"x\\"}"]',
      'info p+',
      'get p+',
      'bind p+ ["{\\"$1\\": 1, \\"$2\\": \\"x\\"}"]',
      'schema p++',
      'update p++',
      'close p++',
    ]);
    log.length = 0;
    await both.sql.query('q', { parameters: [1, true] });
    assert.deepEqual(log.at(-1), 'close q+');
  });

  it('begin and end transactions and savepoints', async () => {
    const log: string[] = [];
    await using both = await startSql({
      beginTransaction: () => bytes('tx'),
      endTransaction: ({ transactionId, action }) => {
        log.push(`${text(transactionId)} ${action}`);
      },
      beginSavepoint: ({ transactionId, name }) => bytes(`${text(transactionId)}/${name}`),
      endSavepoint: ({ savepointId, action }) => {
        log.push(`${text(savepointId)} ${action}`);
      },
    });
    {
      await using transaction = await both.sql.beginTransaction();
      await (await transaction.beginSavepoint('s')).rollback();
      await (await transaction.beginSavepoint('t')).release();
      await transaction.commit();
      await assert.rejects(transaction.rollback(), /ended already/);
    }
    {
      await using _left = await both.sql.beginTransaction();
    }
    assert.deepEqual(log, ['tx/s rollback', 'tx/t release', 'tx commit', 'tx rollback']);
  });

  it('tell metadata as rows, in the order of the format', async () => {
    const field = withColumnMetadata(new Field('id', new Int64(), false), { typeName: 'BIGINT' });
    const table: SqlTable = { catalogName: 'c', dbSchemaName: 's', tableName: 't', tableType: 'TABLE' };
    const key = { pkTableName: 'p', pkColumnName: 'id', fkTableName: 'f', fkColumnName: 'p_id' } as const;
    const foreign = { ...key, updateRule: 'CASCADE', deleteRule: 'SET_NULL' } as const;
    await using both = await startSql({
      getCatalogs: () => ['b', 'a'],
      async *getDbSchemas({ catalog }) {
        await Promise.resolve();
        yield { catalogName: catalog, dbSchemaName: 'main' };
        yield { dbSchemaName: 'no catalog' };
      },
      getTables: () =>
        [
          { ...table, tableName: 'z' },
          { ...table, schema: new Schema([field]) },
        ].slice(1),
      getTableTypes: () => ['VIEW', 'TABLE'],
      getPrimaryKeys: ({ table: name }) => [
        { tableName: name, columnName: 'b', keySequence: 2, keyName: 'k' },
        { tableName: name, columnName: 'a', keySequence: 1, keyName: 'k' },
      ],
      getExportedKeys: () => [{ ...foreign, keySequence: 1, fkKeyName: 'fk' }],
      getImportedKeys: () => [{ ...foreign, keySequence: 1 }],
      getCrossReference: ({ pkTable, fkTable }) => [
        { ...foreign, pkTableName: pkTable, fkTableName: fkTable, keySequence: 1 },
      ],
      getXdbcTypeInfo: () => [typeInfo('VARCHAR', XdbcDataType.XDBC_VARCHAR), typeInfo('BIGINT', -5)],
      getSqlInfo: () => ({
        [SqlInfo.FLIGHT_SQL_SERVER_NAME]: 'test',
        [SqlInfo.FLIGHT_SQL_SERVER_READ_ONLY]: true,
        [SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION]: 1,
        [SqlInfo.SQL_MAX_ROW_SIZE]: 12n,
        [SqlInfo.SQL_KEYWORDS]: ['A', 'B'],
        [SqlInfo.SQL_SUPPORTS_CONVERT]: new Map([[0, [1, 2]]]),
        10_000: 'of a vendor',
      }),
    });
    const { sql } = both;
    assert.deepEqual(await sql.getCatalogs(), ['a', 'b']);
    assert.deepEqual(await sql.getDbSchemas({ catalog: 'c' }), [
      { catalogName: undefined, dbSchemaName: 'no catalog' },
      { catalogName: 'c', dbSchemaName: 'main' },
    ]);
    const [found] = await sql.getTables({ includeSchema: true });
    assert.equal(found?.schema?.fields[0]?.metadata.get('ARROW:FLIGHT:SQL:TYPE_NAME'), 'BIGINT');
    assert.deepEqual(await sql.getTables(), [{ ...table, schema: undefined }]);
    assert.deepEqual(await sql.getTableTypes(), ['TABLE', 'VIEW']);
    assert.deepEqual(
      (await sql.getPrimaryKeys({ table: 't' })).map(({ columnName }) => columnName),
      ['a', 'b'],
    );
    assert.equal((await sql.getExportedKeys({ table: 't' }))[0]?.fkKeyName, 'fk');
    assert.equal((await sql.getImportedKeys({ table: 't' }))[0]?.deleteRule, 'SET_NULL');
    assert.equal((await sql.getCrossReference({ pkTable: 'x', fkTable: 'y' }))[0]?.fkTableName, 'y');
    assert.deepEqual(
      (await sql.getXdbcTypeInfo()).map(({ typeName }) => typeName),
      ['BIGINT', 'VARCHAR'],
    );
    assert.deepEqual(await sql.getXdbcTypeInfo(12), [typeInfo('VARCHAR', XdbcDataType.XDBC_VARCHAR)]);
    assert.deepEqual(
      [...(await sql.getSqlInfo())],
      [
        [0, 'test'],
        [3, true],
        [8, 1],
        [508, ['A', 'B']],
        [517, new Map([[0, [1, 2]]])],
        [555, 12n],
        [10_000, 'of a vendor'],
      ],
    );
    assert.deepEqual([...(await sql.getSqlInfo([3, 4]))], [[3, true]]);
  });

  it('announce the schema that they stream, for empty answers too', async () => {
    await using both = await startSql({ getCatalogs: () => [], getTables: () => [] });
    for (const command of [
      { kind: 'CommandGetCatalogs' },
      { kind: 'CommandGetTables', tableTypes: [], includeSchema: true },
      { kind: 'CommandGetTables', tableTypes: [], includeSchema: false },
    ] as const) {
      const info = await both.sql.getFlightInfo(command);
      const schema = await both.sql.getSchema(command);
      const reader = both.sql.flight.doGet(info.endpoints[0]?.ticket ?? new Ticket(''));
      assert.deepEqual(schema.fields.map(String), info.schema?.fields.map(String));
      assert.deepEqual((await reader.schema).fields.map(String), schema.fields.map(String));
      assert.equal(await reader.readNext(), undefined);
    }
  });

  it('poll queries until they are done', async () => {
    await using both = await startSql({
      pollFlightInfoStatement: () => ({ next: bytes('0'), progress: 0 }),
      pollFlightInfoHandle: (handle) =>
        text(handle) === '2'
          ? { info: { schema: peopleSchema, handle: bytes('done') }, progress: 1 }
          : { next: bytes(String(Number(text(handle)) + 1)), progress: 0.5 },
      doGetStatement: (handle) => people(text(handle)),
      getFlightInfoSubstraitPlan: () => ({ schema: peopleSchema, handle: bytes('plan') }),
    });
    const progress: (number | undefined)[] = [];
    const info = await both.sql.executePolled('SELECT', {
      minIntervalMs: 0,
      onProgress: (poll) => progress.push(poll.progress),
    });
    assert.deepEqual(progress, [0, 0.5, 0.5, 1]);
    assert.equal((await both.sql.readAll(info)).getChild('name')?.get(0), 'done');
    const first = await both.sql.pollExecute('SELECT');
    assert.ok(first.descriptor);
    assert.equal((await both.sql.poll(first.descriptor)).progress, 0.5);
    // what cannot be polled is done at once
    const plan = FlightDescriptor.forCommand(
      (await both.sql.executeSubstrait({ plan: bytes('x'), version: '' })).descriptor?.command ?? '',
    );
    const poll = await both.sql.poll(plan);
    assert.deepEqual([poll.isComplete, poll.info?.endpoints.length], [true, 1]);
  });

  it('cancel a polled query when the signal aborts', async () => {
    const cancelled: FlightInfo[] = [];
    await using both = await startSql({
      pollFlightInfoStatement: () => ({
        info: { schema: peopleSchema, handle: bytes('h') },
        next: bytes('again'),
      }),
      pollFlightInfoHandle: () => ({ next: bytes('again') }),
      cancelFlightInfo: ({ info }) => {
        cancelled.push(info);
        return new CancelFlightInfoResult('CANCELLED');
      },
    });
    const controller = new AbortController();
    await assert.rejects(
      both.sql.executePolled('SELECT', {
        minIntervalMs: 1,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
    );
    assert.equal(cancelled.length, 1);
  });

  it('cancel queries by both actions', async () => {
    await using both = await startSql({
      cancelFlightInfo: ({ info }) =>
        new CancelFlightInfoResult(info.endpoints.length === 0 ? 'NOT_CANCELLABLE' : 'CANCELLED'),
    });
    const info = new FlightInfo(peopleSchema, undefined, [new FlightEndpoint('x')]);
    assert.equal((await both.sql.cancelFlightInfo(info)).status, 'CANCELLED');
    assert.equal(await both.sql.cancelQuery(info), 'CANCELLED');
    assert.equal(await both.sql.cancelQuery(new FlightInfo(undefined, undefined, [])), 'NOT_CANCELLABLE');
  });

  it('keep sessions', async () => {
    await using both = await startSql(createSessionHandlers(), {}, { middleware: [cookieMiddleware()] });
    await both.sql.setSessionOptions({ catalog: 'c' });
    assert.deepEqual(Object.fromEntries(await both.sql.getSessionOptions()), { catalog: 'c' });
    assert.equal((await both.sql.closeSession()).status, 'CLOSED');
  });

  it('leave to plain handlers what is no SQL, and list the actions of both', async () => {
    await using both = await startSql(
      {
        beginTransaction: () => bytes('tx'),
        cancelFlightInfo: () => new CancelFlightInfoResult('CANCELLED'),
      },
      {
        plain: {
          getFlightInfo: (descriptor) =>
            new FlightInfo(peopleSchema, descriptor, [new FlightEndpoint('plain')]),
          doGet: ({ ticket }) => people(text(ticket)),
          getSchema: () => peopleSchema,
          async doPut(_descriptor, reader, writer) {
            await writer.write(String((await reader.readAll()).numRows));
          },
          doAction: ({ type }) => `did ${type}`,
        },
      },
    );
    const { flight } = both.sql;
    for (const descriptor of [FlightDescriptor.forPath('x'), FlightDescriptor.forCommand('SELECT 1')]) {
      const table = await flight.readAll(await flight.getFlightInfo(descriptor));
      assert.equal(table.getChild('name')?.get(0), 'plain');
      assert.deepEqual((await flight.getSchema(descriptor)).schema.names, ['id', 'name']);
      const put = flight.doPut(descriptor);
      await put.writer.writeTable(people('a', 'b'));
      await put.writer.close();
      assert.equal(text(await put.reader.read()), '2');
    }
    assert.equal(text((await flight.doAction('ping').toArray())[0]?.body), 'did ping');
    assert.deepEqual(
      (await flight.listActions().toArray()).map(({ type }) => type),
      ['BeginTransaction', 'CancelQuery', 'CancelFlightInfo'],
    );
  });

  it('refuse what is not served, and what is wrong', async () => {
    await using both = await startSql({
      getFlightInfoStatement: () => {
        throw new FlightNotFoundError('no table t');
      },
      getCatalogs: () => people('wrong schema'),
      doPutStatementUpdate: () => -1,
    });
    const { sql } = both;
    const refused = async (call: Promise<unknown>, code: string, message: RegExp): Promise<void> => {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof FlightError);
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        return true;
      });
    };
    await refused(sql.execute('SELECT'), 'NOT_FOUND', /no table t/);
    await refused(sql.prepare('SELECT'), 'UNIMPLEMENTED', /CreatePreparedStatement/);
    await refused(sql.getTables(), 'UNIMPLEMENTED', /CommandGetTables/);
    await refused(sql.executeSchema('SELECT'), 'UNIMPLEMENTED', /GetSchema of CommandStatementQuery/);
    await refused(sql.getCatalogs(), 'INTERNAL', /another schema/);
    assert.equal(await sql.executeUpdate('UPDATE'), -1n);
    await refused(
      sql.flight.getFlightInfo(FlightDescriptor.forPath('x')),
      'INVALID_ARGUMENT',
      /no command of Flight SQL/,
    );
    await assert.rejects(sql.beginTransaction(), FlightUnimplementedError);
  });
});

function typeInfo(typeName: string, dataType: number) {
  return {
    typeName,
    dataType,
    columnSize: 64,
    literalPrefix: undefined,
    literalSuffix: undefined,
    createParams: typeName === 'VARCHAR' ? ['length'] : undefined,
    nullable: 1,
    caseSensitive: false,
    searchable: 3,
    unsignedAttribute: false,
    fixedPrecScale: false,
    autoIncrement: undefined,
    localTypeName: typeName,
    minimumScale: undefined,
    maximumScale: undefined,
    sqlDataType: dataType,
    datetimeSubcode: undefined,
    numPrecRadix: 2,
    intervalPrecision: undefined,
  };
}
