import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { SchemaResult } from '../model/schema-result.ts';
import { descriptorWanted, encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import type { FlightCallOptions } from './options.ts';

/** GetSchema: FlightDescriptor → SchemaResult. */
export async function getSchema(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: FlightCallOptions,
): Promise<SchemaResult> {
  const decode = (answer: Uint8Array): SchemaResult => SchemaResult.deserialize(answer);
  const message = encodeArgument(descriptor, descriptorWanted, caller.where('GetSchema'));
  return await caller.unary('GetSchema', message, decode, options);
}
