// What the scenarios of Flight SQL say on both sides.
import { Field, Int32, Int64, Schema } from 'apache-arrow';
import { withColumnMetadata } from '@peregrine/flight/sql';
import type { SqlColumnMetadata, SubstraitPlan } from '@peregrine/flight/sql';

const column: SqlColumnMetadata = {
  tableName: 'test',
  isAutoIncrement: true,
  isCaseSensitive: false,
  typeName: 'type_test',
  dbSchemaName: 'schema_test',
  isSearchable: true,
  catalogName: 'catalog_test',
  precision: 100,
  remarks: 'test column',
};

/** Schema of the results outside of transactions. */
export const querySchema: Schema = new Schema([
  withColumnMetadata(new Field('id', new Int64(), true), column),
]);

/** Schema of the results in transactions. */
export const transactionSchema: Schema = new Schema([
  withColumnMetadata(new Field('pkey', new Int32(), true), column),
]);

/** Schema of the rows that are ingested. */
export const ingestSchema: Schema = new Schema([new Field('test_field', new Int64(), true)]);

/** Bytes of a text. */
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The plan of all calls with Substrait. */
export const plan: SubstraitPlan = { plan: bytes('plan'), version: 'version' };

/** Rows that updates tell, outside of transactions and in them. */
export const updatedRows = { plain: 10_000n, inTransaction: 15_000n } as const;

/** The same for prepared updates. */
export const preparedUpdatedRows = { plain: 20_000n, inTransaction: 25_000n } as const;

export const transactionId: Uint8Array = bytes('transaction_id');
export const savepointId: Uint8Array = bytes('savepoint_id');
export const savepointName = 'savepoint_name';
