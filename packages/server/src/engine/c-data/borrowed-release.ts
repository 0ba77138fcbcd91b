import { type Address, allocate, free, functionAt, pointer, readPointer, writeLong } from './native.ts';
import { releaseStruct, structBytes } from './structs.ts';
import type { ReleaseFunctions } from './write-structs.ts';

/*
 * A struct that is given to a driver carries a native function that releases it, called from any of the driver's
 * threads. JavaScript cannot be called there, and compiled code of our own is not to be had without a build. DuckDB's
 * own release functions do what is needed when there is nothing behind a struct: they release its children, mark it as
 * released, and delete NULL. They are taken from a struct that DuckDB made, and tried once before they are used.
 */

/**
 * Takes the release functions of DuckDB from a result of it.
 *
 * @param stream - an ArrowArrayStream of DuckDB with at least one array
 * @returns undefined when they do not behave as expected
 */
export function borrowReleaseFunctions(stream: Address): ReleaseFunctions | undefined {
  const schema = allocate(structBytes.schema);
  const array = allocate(structBytes.array);
  try {
    const parameters = [pointer, pointer];
    if (functionAt(readPointer(stream), 'int', parameters)(stream, schema) !== 0) return undefined;
    if (functionAt(readPointer(stream + 8), 'int', parameters)(stream, array) !== 0) return undefined;
    const found = { schema: readPointer(schema + 56), array: readPointer(array + 64) };
    return marks(found.schema, 56) && marks(found.array, 64) ? found : undefined;
  } finally {
    releaseStruct('array', array);
    releaseStruct('schema', schema);
    free(array);
    free(schema);
  }
}

/** Whether a function marks an empty struct as released. */
function marks(release: Address, place: number): boolean {
  if (release === 0) return false;
  const empty = allocate(structBytes.array);
  try {
    writeLong(empty + place, release);
    functionAt(release, 'void', [pointer])(empty);
    return readPointer(empty + place) === 0;
  } finally {
    free(empty);
  }
}
