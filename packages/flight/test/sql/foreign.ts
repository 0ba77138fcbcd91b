/** Messages, schemas and a result of Flight SQL that arrow-go made; fixtures/make-sql.go tells how. */

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';

const fixture: unknown = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/sql.json', import.meta.url), 'utf8'),
);

function group(kind: 'packed' | 'bare' | 'schemas' | 'streams'): ReadonlyMap<string, Uint8Array> {
  const found =
    typeof fixture === 'object' && fixture !== null ? new Map(Object.entries(fixture)) : undefined;
  const entries: unknown = found?.get(kind);
  if (typeof entries !== 'object' || entries === null) throw new Error(`the fixture has no ${kind}`);
  return new Map(
    Object.entries(entries).map(([name, hex]) => [name, Uint8Array.from(Buffer.from(String(hex), 'hex'))]),
  );
}

function pick(kind: 'packed' | 'bare' | 'schemas' | 'streams'): (name: string) => Uint8Array {
  const entries = group(kind);
  return (name) => {
    const found = entries.get(name);
    if (found === undefined) throw new Error(`the fixture has no ${kind} ${name}`);
    return found;
  };
}

/** A message in an Any. */
export const packed: (name: string) => Uint8Array = pick('packed');

/** A message as it is. */
export const bare: (name: string) => Uint8Array = pick('bare');

/** An encapsulated schema. */
export const schemaBytes: (name: string) => Uint8Array = pick('schemas');

/** An IPC stream. */
export const stream: (name: string) => Uint8Array = pick('streams');
