import type { FlightStreamReader, ServerCallContext } from '@peregrine/flight';
import { encapsulate } from '@peregrine/flight/ipc';
import type { FlightSqlHandlers } from '@peregrine/flight/sql';
import { fieldCount } from '../engine/rows.ts';
import { type Clients, isJava } from './clients.ts';
import { narrowIntegers } from './narrow-integers.ts';
import { type BoundParameters, readParameters } from './parameters.ts';
import { type StatementRequest, answerSchema, executeStatement, givesRows } from './plan.ts';
import { describePrepared, javaParameters } from './prepare.ts';
import type { PreparedStatement, PreparedStatements } from './prepared.ts';
import { countOf, requestOf } from './query-handlers.ts';
import type { Statements } from './statements.ts';

type PreparedHandlers = Pick<
  FlightSqlHandlers,
  | 'createPreparedStatement'
  | 'closePreparedStatement'
  | 'doPutPreparedStatementQuery'
  | 'doPutPreparedStatementUpdate'
  | 'getFlightInfoPreparedStatement'
  | 'getSchemaPreparedStatement'
  | 'pollFlightInfoPreparedStatement'
  | 'doGetPreparedStatement'
>;

/** Serves prepared statements. */
export function preparedHandlers(
  clients: Clients,
  statements: Statements,
  prepared: PreparedStatements,
): PreparedHandlers {
  async function preparedRequest(
    statement: PreparedStatement,
    context: ServerCallContext,
  ): Promise<StatementRequest> {
    const { parameters, plain, sql, transactionId } = statement;
    const lane = await clients.lane(context, { sql, transactionId, joinTransaction: true });
    return { lane, sql, parameters, plain };
  }

  return {
    async createPreparedStatement({ query, transactionId }, context) {
      const request = await requestOf(clients, query, transactionId, context);
      const { kind, parameterSchema, resultSchema } = await describePrepared(request, context.signal);
      const forJava = isJava(context);
      const handle = prepared.add(
        {
          sql: query,
          hasParameters: fieldCount(parameterSchema) > 0,
          transactionId,
          parameters: undefined,
          plain: request.plain === true,
          narrow: forJava ? parameterSchema : undefined,
        },
        context,
      );
      const hasRows = kind === 'query' || givesRows(resultSchema);
      return {
        handle,
        datasetSchema: hasRows && resultSchema !== undefined ? encapsulate(resultSchema) : undefined,
        parameterSchema: encapsulate(forJava ? javaParameters(parameterSchema) : parameterSchema),
        isUpdate: !hasRows,
      };
    },
    closePreparedStatement: (handle, context) => prepared.remove(handle, context),
    async doPutPreparedStatementQuery({ preparedStatementHandle }, parameters, context) {
      // What nobody prepared is refused before it is read.
      const statement = prepared.get(preparedStatementHandle, context);
      prepared.bind(preparedStatementHandle, await readAsDescribed(statement, parameters), context);
      return preparedStatementHandle;
    },
    async doPutPreparedStatementUpdate({ preparedStatementHandle }, parameters, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      const request = await preparedRequest(statement, context);
      // Without parameters there is nothing to wait for: Arrow's C++ client reads the answer before it ends its side.
      const bound = statement.hasParameters ? await readAsDescribed(statement, parameters) : undefined;
      const run = { ...request, parameters: bound ?? request.parameters };
      return countOf(await executeStatement(run, context.signal));
    },
    async getFlightInfoPreparedStatement({ preparedStatementHandle }, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      return statements.plan(await preparedRequest(statement, context), context);
    },
    async getSchemaPreparedStatement({ preparedStatementHandle }, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      const request = await preparedRequest(statement, context);
      return encapsulate(answerSchema(await describePrepared(request, context.signal)));
    },
    async pollFlightInfoPreparedStatement({ preparedStatementHandle }, context, descriptor) {
      const statement = prepared.get(preparedStatementHandle, context);
      return statements.poll(await preparedRequest(statement, context), context, descriptor);
    },
    async doGetPreparedStatement({ preparedStatementHandle }, context) {
      const statement = prepared.get(preparedStatementHandle, context);
      const { handle } = await statements.plan(await preparedRequest(statement, context), context);
      return statements.stream(handle ?? new Uint8Array(0), context);
    },
  };
}

/** Reads parameters, which then have the types that the engine described. */
async function readAsDescribed(
  { narrow }: PreparedStatement,
  reader: FlightStreamReader,
): Promise<BoundParameters | undefined> {
  const parameters = await readParameters(reader);
  return parameters === undefined || narrow === undefined ? parameters : narrowIntegers(parameters, narrow);
}
