import { readFileSync } from 'node:fs';

/** A FlightData message as another implementation sent it, and what Google's protobuf reads in it; all in hex. */
interface StreamMessage {
  readonly message: string;
  readonly descriptor: string | null;
  readonly header: string;
  readonly metadata: string;
  readonly body: string;
}

interface Fixture {
  readonly cpp: Readonly<Record<string, string>>;
  readonly python: Readonly<Record<string, string>>;
  readonly streams: Readonly<Record<string, readonly StreamMessage[]>>;
}

function isFixture(value: unknown): value is Fixture {
  return typeof value === 'object' && value !== null && 'cpp' in value && 'streams' in value;
}

const parsed: unknown = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/proto.json', import.meta.url), 'utf8'),
);
if (!isFixture(parsed)) throw new Error('proto.json is not what make-proto.py writes');

/** What make-proto.py wrote. */
export const fixture: Fixture = parsed;

/** Bytes of hex, which may have spaces. */
export function unhex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

/** Hex of bytes. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** A message that another implementation encoded. */
export function foreign(kind: 'cpp' | 'python', name: string): Uint8Array {
  const found = fixture[kind][name];
  if (found === undefined) throw new Error(`proto.json has no ${kind} ${name}`);
  return unhex(found);
}
