import { decodeMessageHeader } from '@peregrine/flight/ipc';
import type { EngineInput } from '../engine/types.ts';

/**
 * Cuts a stream into groups that are stored as one part each, so that memory stays bounded whatever a put brings. A
 * group begins with the dictionaries that came until then.
 *
 * @param limitBytes - a group ends with the batch that reaches it
 */
export async function* groupBatches(
  batches: AsyncIterable<EngineInput>,
  limitBytes: number,
): AsyncGenerator<AsyncIterable<EngineInput>, void, undefined> {
  const iterator = batches[Symbol.asyncIterator]();
  const dictionaries: EngineInput[] = [];
  let next = await iterator.next();

  async function* group(): AsyncGenerator<EngineInput, void, undefined> {
    for (const dictionary of dictionaries) yield dictionary;
    let bytes = 0;
    while (next.done !== true && bytes < limitBytes) {
      const message = next.value;
      // A dictionary is needed after its memory is the sender's again.
      if (decodeMessageHeader(message.header).kind === 'dictionary') {
        const kept = { header: message.header.slice(), body: message.body.slice() };
        dictionaries.push(kept);
      } else {
        bytes += message.body.length;
      }
      yield message;
      next = await iterator.next();
    }
  }

  try {
    // Once in any case: a put without rows stores a part without rows, which has the schema.
    do {
      yield group();
    } while (next.done !== true);
  } finally {
    await iterator.return?.();
  }
}
