import type { RawIpcMessage } from '@peregrine/flight';
import { FlightError, FlightInternalError } from '@peregrine/flight/errors';
import {
  IpcDecoder,
  IpcEncoder,
  type MessageHeader,
  type PreparedPart,
  decodeMessageHeader,
} from '@peregrine/flight/ipc';

/** An IPC message as it is stored, or as the engine gives it: header and body untouched. */
export interface StoredMessage {
  readonly header: Uint8Array;
  readonly body?: Uint8Array | undefined;
  /** Called when the body's memory is no longer looked at. */
  readonly onFlushed?: (() => void) | undefined;
}

/**
 * Gives the messages of one stream as they are, but for those that are too long for peers with gRPC's usual limit of
 * 4 MiB. Batches are cut by rows then. From a dictionary on that is too long, each part of a batch gets one of its own
 * with the values that it uses. Streams of types that cannot be decoded stay as they are.
 */
export class MessageCutter {
  readonly #target: number;
  readonly #decoder = new IpcDecoder();
  readonly #metadataVersion: 'V4' | 'V5';
  readonly #decodable: boolean;
  readonly #hasDictionaries: boolean;
  /** Encodes batches whose dictionaries go as they are. */
  #plain: IpcEncoder | undefined;
  /** Encodes all that comes, since a dictionary was too long. */
  #small: IpcEncoder | undefined;

  /**
   * @param schema - header of the schema message
   * @param target - bytes of a body
   */
  constructor(schema: Uint8Array, target: number) {
    const header = decodeMessageHeader(schema);
    if (header.kind !== 'schema') throw new FlightInternalError('a stored dataset begins without its schema');
    this.#target = target;
    this.#metadataVersion = header.version;
    this.#decodable = canDecode(this.#decoder, header);
    this.#hasDictionaries = (this.#decoder.schema?.dictionaries.size ?? 0) > 0;
  }

  /** What is to be sent for a dictionary or record batch. */
  *cut(message: StoredMessage): Generator<RawIpcMessage> {
    const long = (message.body?.length ?? 0) > this.#target;
    if (!this.#decodable || !(long || this.#hasDictionaries)) {
      yield message;
      return;
    }
    const header = decodeMessageHeader(message.header);
    if (header.kind === 'dictionary') {
      this.#decoder.decode(header, ownBody(message));
      if (long) this.#small ??= this.#encoder(this.#target);
      if (this.#small === undefined) yield message;
      else message.onFlushed?.();
      return;
    }
    if (!long && this.#small === undefined) {
      yield message;
      return;
    }
    const body = ownBody(message);
    message.onFlushed?.();
    if (this.#small !== undefined) {
      for (const { batch, dictionaries } of this.#parts(this.#small, header, body)) {
        yield* dictionaries;
        yield batch;
      }
      return;
    }
    // The dictionaries went before, as they were.
    this.#plain ??= this.#encoder(undefined);
    for (const { batch } of this.#parts(this.#plain, header, body)) yield batch;
  }

  *#parts(encoder: IpcEncoder, header: MessageHeader, body: Uint8Array): Generator<PreparedPart> {
    const batch = this.#decoder.decode(header, body);
    if (batch === undefined) throw new FlightInternalError('a stored record batch has no rows to send');
    const prepared = encoder.prepare(batch);
    yield* prepared.parts(this.#target);
    prepared.commit();
  }

  #encoder(splitDictionariesAbove: number | undefined): IpcEncoder {
    const { schema } = this.#decoder;
    if (schema === undefined) throw new FlightInternalError('a stored dataset begins without its schema');
    return new IpcEncoder(schema, { metadataVersion: this.#metadataVersion, splitDictionariesAbove });
  }
}

/** A body that stays when the message was sent. */
function ownBody({ body, onFlushed }: StoredMessage): Uint8Array {
  if (body === undefined) return new Uint8Array(0);
  return onFlushed === undefined ? body : body.slice();
}

/** Takes the schema; false for types that cannot be decoded. */
function canDecode(decoder: IpcDecoder, schema: MessageHeader): boolean {
  try {
    decoder.decode(schema, new Uint8Array(0));
    return true;
  } catch (error) {
    if (error instanceof FlightError && error.code === 'UNIMPLEMENTED') return false;
    throw error;
  }
}
