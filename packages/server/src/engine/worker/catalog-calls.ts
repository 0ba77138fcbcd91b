import { encodeRawSchema } from '@peregrine/flight/ipc/messages';
import { DriverError } from '../adbc/driver.ts';
import { driverStatus } from '../adbc/status.ts';
import {
  type Address,
  allocate,
  allocateText,
  free,
  peek,
  peekedLong,
  readText,
  write,
  writeLong,
} from '../c-data/native.ts';
import { readSchema } from '../c-data/read-schema.ts';
import { releaseStruct, structBytes } from '../c-data/structs.ts';
import type { Call } from './driver-calls.ts';
import type { OpenedResult, OperationArguments } from './messages.ts';
import { openResult } from './open-result.ts';

/*
 * What ADBC tells of a database, its tables and the options of a connection. A C string that is not given is NULL.
 */

/** ConnectionGetObjects. */
export function getObjects(call: Call, args: OperationArguments<'getObjects'>): OpenedResult {
  const { connection, depth, catalog = 0, schema = 0, table = 0, tableTypes, column = 0 } = args;
  return openResult((result) =>
    withTextList(tableTypes, (types) =>
      call('ConnectionGetObjects', connection, depth, catalog, schema, table, types, column, result),
    ),
  );
}

/** A list of C strings with NULL at its end, or NULL for no list. */
function withTextList(texts: readonly string[] | undefined, use: (list: Address) => void): void {
  if (texts === undefined) {
    use(0);
    return;
  }
  const places = texts.map(allocateText);
  const list = allocate(8 * (places.length + 1));
  try {
    for (const [index, place] of places.entries()) writeLong(list + 8 * index, place);
    use(list);
  } finally {
    free(list);
    for (const place of places) free(place);
  }
}

/** ConnectionGetInfo. */
export function getInfo(call: Call, { connection, codes }: OperationArguments<'getInfo'>): OpenedResult {
  return openResult((result) => {
    const list = allocate(4 * codes.length);
    try {
      write(list, new Uint8Array(Uint32Array.from(codes).buffer));
      call('ConnectionGetInfo', connection, list, codes.length, result);
    } finally {
      free(list);
    }
  });
}

/** ConnectionGetTableSchema: the flatbuffer of a schema message. */
export function getTableSchema(call: Call, args: OperationArguments<'getTableSchema'>): Uint8Array {
  const { connection, catalog = 0, schema = 0, table } = args;
  const struct = allocate(structBytes.schema);
  try {
    call('ConnectionGetTableSchema', connection, catalog, schema, table, struct);
    return encodeRawSchema(readSchema(struct));
  } finally {
    releaseStruct('schema', struct);
    free(struct);
  }
}

/** Bytes that an option's value may take, in steps, of which the first is enough but for paths and lists. */
const optionBytes = [256, 4_096, 65_536, 1_048_576] as const;

/** ConnectionGetOption; undefined where the driver has no such option. */
export function getOption(
  call: Call,
  { connection, key }: OperationArguments<'getOption'>,
): string | undefined {
  for (const size of optionBytes) {
    const value = allocate(size + 8);
    try {
      writeLong(value + size, size);
      call('ConnectionGetOption', connection, key, value, value + size);
      peek(value + size, 8);
      if (peekedLong(0) <= size) return readText(value);
    } catch (error) {
      if (error instanceof DriverError && noSuchOption.has(error.status)) return undefined;
      throw error;
    } finally {
      free(value);
    }
  }
  return undefined;
}

const noSuchOption: ReadonlySet<number> = new Set([driverStatus.notFound, driverStatus.notImplemented]);
