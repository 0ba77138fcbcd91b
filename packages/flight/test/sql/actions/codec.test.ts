import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { FlightDataError, FlightInvalidArgumentError } from '../../../src/errors.ts';
import { Action } from '../../../src/model/index.ts';
import {
  decodeBindResult,
  decodeCancelStatus,
  decodePreparedStatementResult,
  decodeSavepointId,
  decodeTransactionId,
  decodeUpdateResult,
  encodeBindResult,
  encodeCancelStatus,
  encodePreparedStatementResult,
  encodeSavepointId,
  encodeTransactionId,
  encodeUpdateResult,
} from '../../../src/sql/actions/results.ts';
import { encodeSqlAction, parseSqlAction, type SqlAction } from '../../../src/sql/index.ts';
import { bytes, text } from '../fixture.ts';
import { bare, packed, schemaBytes } from '../foreign.ts';

const transactionId = bytes('tx');
const plan = { plan: Uint8Array.of(1, 2, 3), version: '0.44.0' };

const actions: readonly SqlAction[] = [
  { kind: 'CreatePreparedStatement', query: 'SELECT ?', transactionId },
  { kind: 'CreatePreparedSubstraitPlan', plan, transactionId },
  { kind: 'ClosePreparedStatement', preparedStatementHandle: bytes('h') },
  { kind: 'BeginTransaction' },
  { kind: 'BeginSavepoint', transactionId, name: 'n' },
  { kind: 'EndTransaction', transactionId, action: 'commit' },
  { kind: 'EndSavepoint', savepointId: bytes('sp'), action: 'rollback' },
  { kind: 'CancelQuery', info: Uint8Array.of(0x20, 1) },
];

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

describe('actions', () => {
  for (const action of actions) {
    it(`are read as arrow-go writes them, and written the same: ${action.kind}`, () => {
      const written = encodeSqlAction(action);
      assert.equal(written.type, action.kind);
      assert.equal(hex(written.body), hex(packed(action.kind)));
      const read = parseSqlAction(new Action(action.kind, packed(action.kind)));
      assert.ok(read);
      assert.equal(hex(encodeSqlAction(read).body), hex(packed(action.kind)));
    });
  }

  it('of other names are for others', () => {
    assert.equal(parseSqlAction(new Action('ping', 'x')), undefined);
  });

  it('with another body are refused', () => {
    const body = packed('BeginTransaction');
    assert.throws(
      () => parseSqlAction(new Action('BeginSavepoint', body)),
      /the body of the action BeginSavepoint is a ActionBeginTransactionRequest/,
    );
    assert.throws(() => parseSqlAction(new Action('BeginTransaction', 'x')), FlightInvalidArgumentError);
    assert.throws(() => parseSqlAction(new Action('BeginTransaction')), FlightInvalidArgumentError);
  });

  it('that do not say how to end are refused', () => {
    const transaction = packed('EndTransaction unspecified');
    const savepoint = packed('EndSavepoint unspecified');
    assert.throws(() => parseSqlAction(new Action('EndTransaction', transaction)), /action 0/);
    assert.throws(() => parseSqlAction(new Action('EndSavepoint', savepoint)), /action 0/);
  });
});

describe('results', () => {
  it('are read as arrow-go writes them, and written the same', () => {
    const prepared = packed('ActionCreatePreparedStatementResult');
    const read = decodePreparedStatementResult(prepared);
    assert.equal(text(read.handle), 'h');
    assert.equal(read.isUpdate, false);
    assert.deepEqual(read.datasetSchema.schema?.names, ['catalog_name']);
    assert.deepEqual(read.parameterSchema.schema?.names, ['table_type']);
    assert.equal(
      hex(
        encodePreparedStatementResult({
          handle: bytes('h'),
          datasetSchema: schemaBytes('catalogs'),
          parameterSchema: schemaBytes('tableTypes'),
          isUpdate: false,
        }),
      ),
      hex(prepared),
    );
    assert.equal(text(decodeTransactionId(packed('ActionBeginTransactionResult'))), 'tx');
    assert.equal(hex(encodeTransactionId(transactionId)), hex(packed('ActionBeginTransactionResult')));
    assert.equal(text(decodeSavepointId(packed('ActionBeginSavepointResult'))), 'sp');
    assert.equal(hex(encodeSavepointId(bytes('sp'))), hex(packed('ActionBeginSavepointResult')));
    assert.equal(decodeCancelStatus(packed('ActionCancelQueryResult')), 'CANCELLING');
    assert.equal(hex(encodeCancelStatus('CANCELLING')), hex(packed('ActionCancelQueryResult')));
  });

  it('of DoPut are bare', () => {
    assert.equal(decodeUpdateResult(bare('DoPutUpdateResult')), -1n);
    assert.equal(decodeUpdateResult(bare('DoPutUpdateResult large')), 2n ** 53n);
    assert.equal(hex(encodeUpdateResult(-1n)), hex(bare('DoPutUpdateResult')));
    assert.equal(text(decodeBindResult(bare('DoPutPreparedStatementResult'))), 'new');
    assert.equal(decodeBindResult(bare('DoPutPreparedStatementResult empty')), undefined);
    assert.equal(hex(encodeBindResult(bytes('new'))), hex(bare('DoPutPreparedStatementResult')));
  });

  it('without schemas have none', () => {
    const read = decodePreparedStatementResult(encodePreparedStatementResult({ handle: bytes('h') }));
    assert.deepEqual(
      [read.datasetSchema.schema, read.parameterSchema.schema, read.isUpdate],
      [undefined, undefined, undefined],
    );
  });

  it('that are something else are refused', () => {
    assert.throws(() => decodeUpdateResult(Uint8Array.of(0xff)), FlightDataError);
    assert.throws(
      () => decodeTransactionId(packed('ActionBeginSavepointResult')),
      FlightInvalidArgumentError,
    );
  });
});
