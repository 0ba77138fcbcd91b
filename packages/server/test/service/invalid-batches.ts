import { ipcStreamMessages, writeIpcStream } from '@peregrine/flight/ipc';
import { tableFromArrays } from 'apache-arrow';

/** A message of an IPC stream. */
export interface Message {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

async function messagesOf(text: readonly string[]): Promise<Message[]> {
  const n = Int32Array.from(text, (_, row) => row + 2);
  const messages: Message[] = [];
  for await (const { header, body } of ipcStreamMessages(writeIpcStream(tableFromArrays({ n, w: text })))) {
    messages.push({ header: header.slice(), body: body.slice() });
  }
  return messages;
}

/**
 * Uploads of an int32 column n and a dictionary column w that are right in the beginning, and messages that must end
 * them: the reasons by name.
 *
 * @param readsText - whether text that is no UTF-8 is refused too: the engine does, datasets in memory go out as they came
 */
export async function invalidUploads(
  readsText: boolean,
): Promise<ReadonlyMap<string, { readonly good: readonly Message[]; readonly bad: readonly Message[] }>> {
  const good = await messagesOf(['a', 'b', 'a']);
  const [schema, dictionary, batch] = good;
  if (schema === undefined || dictionary === undefined || batch === undefined) {
    throw new Error('a schema, a dictionary and a batch were expected');
  }
  const stray = batch.body.slice();
  // The indices come last: two values are there, so this is none.
  stray.fill(77, stray.length - 8);
  const cut = { header: dictionary.header, body: dictionary.body.subarray(0, 8) };
  const bad: Readonly<Record<string, readonly Message[]>> = {
    'a body that is cut': [{ header: batch.header, body: batch.body.subarray(0, batch.body.length - 8) }],
    'indices after the dictionary': [{ header: batch.header, body: stray }],
    'a header that is none': [
      { header: Uint8Array.from({ length: 40 }, (_, i) => 37 * i), body: batch.body },
    ],
    'a second schema': [schema],
    'a dictionary that is cut': [cut, batch],
    // No batch needs these, and nothing invalid is taken all the same.
    'a dictionary that is cut, and nothing behind it': [cut],
    'a dictionary that is cut, and one in its place': [cut, dictionary, batch],
    ...(readsText && {
      'a dictionary of text that is none, and nothing behind it': [
        { header: dictionary.header, body: dictionary.body.map((byte) => (byte === 97 ? 0xff : byte)) },
      ],
    }),
  };
  return new Map(Object.entries(bad).map(([name, messages]) => [name, { good, bad: messages }]));
}
