import { FlightError } from '@peregrine/flight/errors';
import { type ArrowField, decodeMessageHeader, encodeDictionaryBatchHeader } from '@peregrine/flight/ipc';
import type { StoredMessage } from './message-cutter.ts';

/**
 * The messages behind a schema, with their dictionaries named as another schema of the same columns names them: each
 * client numbers them as it likes.
 *
 * @param from - IPC schema message of the messages
 * @param to - IPC schema message of the stream that they are added to
 * @throws FlightError FAILED_PRECONDITION where columns share a dictionary in `to` and not in `from`
 */
export function* renameDictionaries(
  messages: readonly StoredMessage[],
  from: Uint8Array,
  to: Uint8Array,
): Generator<StoredMessage> {
  const names = new Map<number, Set<number>>();
  collect(fieldsOf(from), fieldsOf(to), names);
  checkOneEach(names);
  for (const message of messages) {
    const header = decodeMessageHeader(message.header);
    if (header.kind !== 'dictionary') {
      yield message;
      continue;
    }
    const { bodyLength, customMetadata, isDelta, version } = header;
    for (const id of names.get(header.id) ?? []) {
      if (id === header.id) yield message;
      else {
        const options = { version, customMetadata };
        yield { ...message, header: encodeDictionaryBatchHeader(id, isDelta, header, bodyLength, options) };
      }
    }
  }
}

function collect(
  from: readonly ArrowField[],
  to: readonly ArrowField[],
  names: Map<number, Set<number>>,
): void {
  for (const [index, field] of from.entries()) {
    const other = to[index];
    if (other === undefined) continue;
    if (field.dictionary !== undefined && other.dictionary !== undefined) {
      const ids = names.get(field.dictionary.id) ?? new Set();
      names.set(field.dictionary.id, ids.add(other.dictionary.id));
    }
    collect(field.children, other.children, names);
  }
}

function checkOneEach(names: ReadonlyMap<number, ReadonlySet<number>>): void {
  const seen = new Set<number>();
  for (const ids of names.values()) {
    for (const id of ids) {
      if (seen.has(id)) {
        throw new FlightError(
          'FAILED_PRECONDITION',
          'columns share a dictionary in the dataset and not in the rows to append; replace the dataset',
        );
      }
      seen.add(id);
    }
  }
}

function fieldsOf(schema: Uint8Array): readonly ArrowField[] {
  const header = decodeMessageHeader(schema);
  return header.kind === 'schema' ? header.schema.fields : [];
}
