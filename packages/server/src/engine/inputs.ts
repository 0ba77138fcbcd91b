import { FlightDataError } from '@peregrine/flight/errors';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import type { EngineInput } from './types.ts';
import type { SharedInput } from './worker/messages.ts';

/** A message in memory that threads share, and what it is. */
export interface TakenInput {
  readonly kind: 'dictionary' | 'records';
  readonly rows: number;
  /** The dictionary that it fills, and whether it adds to it. */
  readonly dictionary: { readonly id: number; readonly isDelta: boolean } | undefined;
  readonly input: SharedInput;
}

/** Blocks of batches that the driver has taken, for batches that come after them. */
export interface SpareBlocks {
  take(byteLength: number): SharedArrayBuffer;
  give(block: SharedArrayBuffer): void;
}

/** As many as one stream has in use: one batch is taken by the driver while the next one comes. */
const maxSpareBlocks = 2;

/** Blocks are whole multiples of this, so that batches of about the same length use the same. */
const blockStep = 64 * 1024;

/**
 * Keeps the blocks of one stream. The system has to clear each page of a new block, which takes as long as filling it,
 * and the garbage collector has to find it.
 */
export function createSpareBlocks(): SpareBlocks {
  const spare: SharedArrayBuffer[] = [];
  return {
    take(byteLength) {
      const place = spare.findIndex((block) => block.byteLength >= byteLength);
      const [found] = place < 0 ? [] : spare.splice(place, 1);
      return found ?? new SharedArrayBuffer(Math.ceil(byteLength / blockStep) * blockStep);
    },
    give(block) {
      spare.push(block);
      // A longer one serves for more.
      if (spare.length > maxSpareBlocks) spare.sort((a, b) => b.byteLength - a.byteLength).pop();
    },
  };
}

/**
 * Copies a message to memory that threads share, so that the caller may use its own again.
 *
 * @param blocks - where its memory comes from. Default: new memory
 */
export function takeInput({ header, body }: EngineInput, blocks?: SpareBlocks): TakenInput {
  const message = decodeMessageHeader(header);
  if (message.kind === 'schema') throw new FlightDataError('a second schema came where a batch belongs');
  if (message.length < 0) throw new FlightDataError(`a batch says that it has ${message.length} rows`);
  const isBatch = message.kind === 'batch';
  const block =
    isBatch && blocks !== undefined ? blocks.take(body.byteLength) : new SharedArrayBuffer(body.byteLength);
  new Uint8Array(block).set(body);
  const input = { header: header.slice(), bodyLength: body.byteLength, block };
  if (isBatch) return { kind: 'records', rows: message.length, dictionary: undefined, input };
  const { id, isDelta } = message;
  return { kind: 'dictionary', rows: message.length, dictionary: { id, isDelta }, input };
}

/** The dictionaries of a stream that the next batch may need. */
export interface DictionaryInputs {
  add(taken: TakenInput): void;
  /** In order, what is there now. Counts as looked at. */
  list(): readonly SharedInput[];
  /** Whether there is one that nobody has looked at, and that goes when this one comes; undefined: when the stream ends. */
  losesUnseen(next: TakenInput | undefined): boolean;
}

/** Keeps the dictionaries of a stream; one that is replaced is forgotten. */
export function createDictionaryInputs(): DictionaryInputs {
  let kept: TakenInput[] = [];
  const unseen = new Set<TakenInput>();
  return {
    add(taken) {
      const { dictionary } = taken;
      if (dictionary !== undefined && !dictionary.isDelta) {
        kept = kept.filter((other) => other.dictionary?.id !== dictionary.id);
      }
      kept.push(taken);
      unseen.add(taken);
    },
    list() {
      unseen.clear();
      return kept.map(({ input }) => input);
    },
    losesUnseen: (next) =>
      next === undefined
        ? unseen.size > 0
        : next.dictionary?.isDelta === false &&
          [...unseen].some(({ dictionary }) => dictionary?.id === next.dictionary?.id),
  };
}
