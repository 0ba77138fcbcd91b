import type { FlightDescriptor, FlightInfo } from '@peregrine/flight';
import type { Schema } from 'apache-arrow';
import { renderTextTable } from './text-table.ts';

/** How a flight is called on the command line: its path, or its command. */
export function flightName(descriptor: FlightDescriptor | undefined): string {
  if (descriptor === undefined) return '';
  if (descriptor.type === 'CMD') return `--command ${new TextDecoder().decode(descriptor.command)}`;
  return (descriptor.path ?? []).join(' ');
}

/** A FlightInfo as JSON: 64-bit counts are numbers where they fit, else text; bytes are base64. */
export function infoToJson(info: FlightInfo): object {
  return {
    descriptor:
      info.descriptor === undefined
        ? null
        : info.descriptor.type === 'CMD'
          ? { command: new TextDecoder().decode(info.descriptor.command) }
          : { path: info.descriptor.path ?? [] },
    totalRecords: countToJson(info.totalRecords),
    totalBytes: countToJson(info.totalBytes),
    ordered: info.ordered,
    endpoints: info.endpoints.map((endpoint) => ({
      ticket: Buffer.from(endpoint.ticket.ticket).toString('base64'),
      locations: endpoint.locations.map((location) => location.uri),
      expirationTime: endpoint.expirationTime?.toISOString() ?? null,
    })),
    schema: schemaToJson(info.schema),
  };
}

/** The fields of a schema as plain objects. */
export function schemaToJson(schema: Schema | undefined): object[] | null {
  if (schema === undefined) return null;
  return schema.fields.map((field) => ({
    name: field.name,
    type: String(field.type),
    nullable: field.nullable,
    ...(field.metadata.size === 0 ? {} : { metadata: Object.fromEntries(field.metadata) }),
  }));
}

/** The fields of a schema as a table; whole where no terminal cuts it. */
export function schemaToTable(schema: Schema, screen: number | undefined): string {
  return renderTextTable(
    ['column', 'type', 'nullable'],
    schema.fields.map((field) => [field.name, String(field.type), field.nullable ? 'yes' : 'no']),
    { maxWidth: Infinity, screen },
  );
}

function countToJson(count: bigint): number | string | null {
  if (count < 0n) return null;
  return count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : String(count);
}
