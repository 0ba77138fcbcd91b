import { isArrowRecordBatch, isArrowTable, type RecordBatch } from 'apache-arrow';
import { FlightServerError, FlightUnimplementedError } from '../errors.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { maxRequestBytes } from '../limits/server.ts';
import { Ticket } from '../model/index.ts';
import { RecordBatchStream } from '../stream/record-batch-stream.ts';
import type { FlightDataStream } from '../stream/types.ts';
import { createStreamWriter } from '../stream/writer.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { forEachOf } from './many.ts';
import { decodeRequest, readRequest } from './messages.ts';
import { RequestDecoder } from './request-decoder.ts';

import type { DoGetResult } from './types.ts';

/** DoGet: Ticket → stream of FlightData, schema first. */
export function doGetMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'DoGet',
    () => new RequestDecoder('DoGet', maxRequestBytes),
    async (call, context) => {
      const { handlers } = runtime;
      if (handlers.doGet === undefined) throw new FlightUnimplementedError('this server has no DoGet');
      const ticket = decodeRequest('Ticket', Ticket, await readRequest(call));
      const data = toDataStream(await handlers.doGet(ticket, context));
      await data.sendTo(callSink(call), { write: runtime.ipc, signal: call.signal });
    },
  );
}

/** Tables and batches can be iterated too, row by row: they are looked at first. */
function toDataStream(result: DoGetResult): FlightDataStream {
  // JavaScript does not tell an application that it forgot to return something
  if (typeof result !== 'object' || result === null) {
    throw new FlightServerError(
      `the server's doGet gave ${String(result)}; it should return a Table, batches, a RecordBatchStream or a GeneratorStream`,
      { code: 'INTERNAL' },
    );
  }
  if ('sendTo' in result) return result;
  if (isArrowTable(result)) return new RecordBatchStream(result);
  if (isArrowRecordBatch(result)) return new RecordBatchStream([result]);
  if ('schema' in result) return new RecordBatchStream(result);
  return batchesWithoutSchema(result);
}

/** The schema is that of the first batch. */
function batchesWithoutSchema(batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>): FlightDataStream {
  return {
    async sendTo(sink, { write, signal = new AbortController().signal } = {}) {
      const writer = createStreamWriter(sink, { write });
      let isEmpty = true;
      await forEachOf(batches, signal, (batch) => {
        isEmpty = false;
        return writer.writeBatch(batch);
      });
      if (isEmpty && !signal.aborted) {
        throw new FlightServerError(
          'the server had no batch to send, and so no schema; its handler should return a Table, a RecordBatchStream or a GeneratorStream with one',
          { code: 'INTERNAL' },
        );
      }
    },
  };
}
