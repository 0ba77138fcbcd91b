import type { EngineInput } from '../engine/types.ts';
import type { MessageIndex, MessagePlace } from './message-index.ts';
import type { RangeSource } from './range-source.ts';

/** Bodies that lie close together are read at once until they are so long: requests to a bucket take long, whatever they bring. */
const groupBytes = 4 * 1024 * 1024;

/** What may lie between two bodies that are read at once: headers, and what padding there is. */
const maxGapBytes = 64 * 1024;

/** Ranges begin where a typed array may, so that bodies that lie aligned in the file lie aligned in memory. */
const alignment = 64;

/** Messages whose bodies are read at once. */
interface Group {
  readonly start: number;
  readonly end: number;
  readonly places: readonly MessagePlace[];
}

/**
 * Reads the messages behind the schema, one range after the other: the next one is read while the one before is used.
 * So at most two ranges are in memory, each of one body or {@link groupBytes}.
 */
export async function* readMessages(
  source: RangeSource,
  { messages }: MessageIndex,
): AsyncGenerator<EngineInput, void, undefined> {
  const read = async ({ start, end }: Group): Promise<Uint8Array> => source.read(start, end - start);
  let reading: { readonly group: Group; readonly bytes: Promise<Uint8Array> } | undefined;
  try {
    for (const group of groupsOf(messages)) {
      const ready = reading;
      const bytes = ready === undefined ? undefined : await ready.bytes;
      reading = { group, bytes: read(group) };
      // Awaited in the next round; until then its failure waits too.
      reading.bytes.catch(() => undefined);
      if (ready !== undefined && bytes !== undefined) yield* bodiesOf(ready.group, bytes);
    }
    if (reading !== undefined) yield* bodiesOf(reading.group, await reading.bytes);
  } finally {
    // Whoever closes the source next must not do it under a read.
    await reading?.bytes.catch(() => undefined);
  }
}

function* bodiesOf({ start, places }: Group, bytes: Uint8Array): Generator<EngineInput> {
  for (const { header, bodyOffset, bodyLength } of places) {
    yield { header, body: bytes.subarray(bodyOffset - start, bodyOffset - start + bodyLength) };
  }
}

function* groupsOf(messages: readonly MessagePlace[]): Generator<Group> {
  let places: MessagePlace[] = [];
  let start = 0;
  let end = 0;
  for (const place of messages) {
    const { bodyOffset, bodyLength } = place;
    const isNear = bodyOffset >= end && bodyOffset - end <= maxGapBytes;
    if (places.length > 0 && !(isNear && bodyOffset + bodyLength - start <= groupBytes)) {
      yield { start, end, places };
      places = [];
    }
    if (places.length === 0) start = bodyOffset - (bodyOffset % alignment);
    places.push(place);
    end = bodyOffset + bodyLength;
  }
  if (places.length > 0) yield { start, end, places };
}
