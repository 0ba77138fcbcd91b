import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { SchemaResult } from '../model/schema-result.ts';
import type { Caller } from './caller.ts';
import type { FlightCallOptions } from './options.ts';

/** GetSchema: FlightDescriptor → SchemaResult. */
export function getSchema(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: FlightCallOptions,
): Promise<SchemaResult> {
  const decode = (message: Uint8Array): SchemaResult => SchemaResult.deserialize(message);
  return caller.unary('GetSchema', descriptor.serialize(), decode, options);
}
