import { isArrowRecordBatch, isArrowTable, type Schema, type Table } from 'apache-arrow';
import type { FlightCallOptions, FlightClient, ReadEndpointsOptions } from '../../client/index.ts';
import { FlightError } from '../../errors.ts';
import type { FlightDescriptor, FlightInfo, PollInfo } from '../../model/index.ts';
import { decodeBindResult, type DecodedPreparedStatementResult } from '../actions/results.ts';
import { sqlDescriptor } from '../commands/codec.ts';
import type { CommandPreparedStatementQuery } from '../commands/types.ts';
import { parameterBatch, type SqlParameterRow } from '../parameters/batch.ts';
import { putRows, putUpdate, readAnswer, runAction } from './calls.ts';
import type { ExecuteOptions, PollOptions, SqlRows } from './options.ts';
import { pollUntilDone } from './poll.ts';

/**
 * A statement that the server has prepared. It lives on the server until {@link PreparedStatement.close}, or the end of
 * an `await using` block.
 */
export class PreparedStatement implements AsyncDisposable {
  readonly #flight: FlightClient;
  readonly #result: DecodedPreparedStatementResult;
  /** Servers may give another handle when parameters are bound; it takes the place of the one before. */
  #handle: Uint8Array;
  #parameters: SqlRows | undefined;
  #closed: Promise<void> | undefined;

  /** Made by `FlightSqlClient.prepare`. */
  constructor(flight: FlightClient, result: DecodedPreparedStatementResult) {
    this.#flight = flight;
    this.#result = result;
    this.#handle = result.handle;
  }

  /** The server's name for it, which may change when parameters are sent. */
  get handle(): Uint8Array {
    return this.#handle;
  }

  /** Schema of the rows that it gives; undefined where it gives none, or the server does not know it before it runs. */
  get datasetSchema(): Schema | undefined {
    return this.#result.datasetSchema.schema;
  }

  /** Schema of its parameters; undefined where it has none, or the server does not tell. */
  get parameterSchema(): Schema | undefined {
    return this.#result.parameterSchema.schema;
  }

  /** Whether it is to be run by {@link executeUpdate}; undefined where the server does not tell. */
  get isUpdate(): boolean | undefined {
    return this.#result.isUpdate;
  }

  /**
   * Sets the parameters of the runs from now on; they are sent with each. Undefined: none. Rows that can be iterated
   * only once serve one run.
   *
   * @param parameters - the values of one run, in their order or by name; or rows, one a run
   * @throws FlightInvalidArgumentError for values that do not fit the statement's parameters
   */
  bind(parameters: SqlParameterRow | SqlRows | undefined): this {
    this.#parameters =
      parameters === undefined || isRows(parameters)
        ? parameters
        : parameterBatch([parameters], this.parameterSchema);
    return this;
  }

  /** Sets the parameters of several runs, one a row. Throws as {@link bind}. */
  bindRows(rows: readonly SqlParameterRow[]): this {
    this.#parameters = parameterBatch(rows, this.parameterSchema);
    return this;
  }

  /** Runs it as a query: where its rows can be had. */
  async execute(options: ExecuteOptions = {}): Promise<FlightInfo> {
    await this.#sendParameters(options);
    return this.#flight.getFlightInfo(this.#descriptor(), { idempotent: false, ...options });
  }

  /** Runs it as a query and reads all rows. */
  async query(options: ExecuteOptions & ReadEndpointsOptions = {}): Promise<Table> {
    const { maxParallel: _maxParallel, ...callOptions } = options;
    return this.#flight.readAll(await this.execute(callOptions), options);
  }

  /** Runs it as a query by polling; see `FlightSqlClient.executePolled`. */
  async executePolled(options: Omit<PollOptions, 'transaction'> = {}): Promise<FlightInfo> {
    await this.#sendParameters(options);
    return pollUntilDone(this.#flight, this.#descriptor(), options);
  }

  /** Starts it as a query that may take long: go on with `FlightSqlClient.poll` and the answer's descriptor. */
  async pollExecute(options: ExecuteOptions = {}): Promise<PollInfo> {
    await this.#sendParameters(options);
    return this.#flight.pollFlightInfo(this.#descriptor(), { idempotent: false, ...options });
  }

  /** The schema of its rows with the parameters that are set; nothing is executed. */
  async executeSchema(options: FlightCallOptions = {}): Promise<Schema> {
    await this.#sendParameters(options);
    return (await this.#flight.getSchema(this.#descriptor(), options)).schema;
  }

  /** Runs it for its effect, once for each row of parameters: rows changed, -1n where the server does not know. */
  executeUpdate(options: FlightCallOptions = {}): Promise<bigint> {
    this.#checkOpen();
    return putUpdate(
      this.#flight,
      { kind: 'CommandPreparedStatementUpdate', preparedStatementHandle: this.#handle },
      this.#parameters,
      options,
    );
  }

  /** Lets the server forget it. Further calls do nothing. */
  close(options: FlightCallOptions = {}): Promise<void> {
    this.#closed ??= runAction(
      this.#flight,
      { kind: 'ClosePreparedStatement', preparedStatementHandle: this.#handle },
      options,
    );
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #sendParameters(options: FlightCallOptions): Promise<void> {
    this.#checkOpen();
    if (this.#parameters === undefined) return;
    const answer = await putRows(this.#flight, this.#command(), this.#parameters, options);
    // servers of before Arrow 17 do not answer
    const handle = answer === undefined ? undefined : readAnswer(() => decodeBindResult(answer));
    if (handle !== undefined && handle.byteLength > 0) this.#handle = handle;
  }

  #command(): CommandPreparedStatementQuery {
    return { kind: 'CommandPreparedStatementQuery', preparedStatementHandle: this.#handle };
  }

  #descriptor(): FlightDescriptor {
    return sqlDescriptor(this.#command());
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) {
      throw new FlightError('FAILED_PRECONDITION', 'the prepared statement is closed; prepare it again');
    }
  }
}

function isRows(parameters: SqlParameterRow | SqlRows): parameters is SqlRows {
  if (Array.isArray(parameters)) return false;
  if (isArrowTable(parameters) || isArrowRecordBatch(parameters)) return true;
  if ('readNext' in parameters && typeof parameters.readNext === 'function') return true;
  // a reader, or batches with their schema; a parameter may be called schema, but it is no object with fields
  return (
    'schema' in parameters &&
    typeof parameters.schema === 'object' &&
    parameters.schema !== null &&
    'fields' in parameters.schema
  );
}
