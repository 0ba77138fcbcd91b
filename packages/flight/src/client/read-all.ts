import type { RecordBatch, Schema, Table } from 'apache-arrow';
import type { FlightEndpoint } from '../model/flight-endpoint.ts';
import type { FlightInfo } from '../model/flight-info.ts';
import { checkSameSchema } from './adopt-schema.ts';
import {
  beginEndpointRun,
  type EndpointContext,
  type EndpointRun,
  openPlace,
  withFailover,
} from './endpoint-stream.ts';
import type { EndpointPlace } from './endpoint-places.ts';
import type { ReadEndpointsOptions } from './options.ts';
import { tableOf } from './read-endpoints.ts';

interface EndpointData {
  readonly schema: Schema;
  readonly batches: readonly RecordBatch[];
}

/**
 * Reads all endpoints into one table, in the order of the endpoints; see {@link FlightClient.readAll}. Nothing of an
 * endpoint is handed out before it is complete, so one that fails midway can be read again at its next location.
 */
export async function readAll(
  context: EndpointContext,
  info: FlightInfo,
  options: ReadEndpointsOptions,
): Promise<Table> {
  const run = beginEndpointRun(context, info, options);
  const results: EndpointData[] = [];
  const waiting = info.endpoints.entries();
  const work = async (): Promise<void> => {
    for (const [index, endpoint] of waiting) {
      results[index] = await withFailover(run, endpoint, (place) => readPlace(run, endpoint, place));
    }
  };
  let failure: { readonly error: unknown } | undefined;
  const guarded = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      // the first one is the reason, the others only hear that it is over
      failure ??= { error };
      run.stop('another endpoint failed');
    }
  };
  await Promise.all(Array.from({ length: Math.min(run.maxParallel, info.endpoints.length) }, guarded));
  if (failure !== undefined) throw failure.error;
  const [first] = results;
  for (const { schema } of results) checkSameSchema(first?.schema ?? schema, schema);
  return tableOf(
    first?.schema ?? info.schema,
    results.flatMap(({ batches }) => batches),
  );
}

async function readPlace(
  run: EndpointRun,
  endpoint: FlightEndpoint,
  place: EndpointPlace,
): Promise<EndpointData> {
  const stream = await openPlace(run, endpoint, place);
  try {
    const batches: RecordBatch[] = [];
    for (;;) {
      const chunk = await stream.next();
      if (chunk === undefined) return { schema: stream.schema, batches };
      if (chunk.data !== undefined) batches.push(chunk.data);
    }
  } finally {
    stream.close();
  }
}
