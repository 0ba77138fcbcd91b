import { toBytes } from '../model/bytes.ts';
import { encodeFlightData, type FlightData } from '../proto/flight-data.ts';
import type { OutgoingMessage } from '../grpc/message.ts';

/** A message that is encoded already; nothing in it is looked at. */
export type RawIpcMessage =
  /** as it was received, or stored */
  | FlightData
  /** as `ipcFileMessages` and `ipcStreamMessages` give it, or made by hand */
  | {
      /** The IPC Message flatbuffer without its length prefix. */
      readonly header: Uint8Array;
      /** The IPC body. Default: none. */
      readonly body?: Uint8Array | undefined;
      /** Bytes of the application. Default: none. */
      readonly appMetadata?: Uint8Array | string | undefined;
      /** Called when the memory of the message may be used again. Default: nothing. */
      readonly onFlushed?: (() => void) | undefined;
    }
  /** as the encoder gives it: the body in pieces */
  | {
      readonly header: Uint8Array;
      readonly bodyPieces: readonly Uint8Array[];
      readonly bodyLength: number;
      readonly appMetadata?: Uint8Array | string | undefined;
      readonly onFlushed?: (() => void) | undefined;
    };

/** How a raw message is sent. */
export interface RawMessageOptions {
  /**
   * Releases the body of a FlightData once it was sent: for messages that are passed on and not kept. Default: false.
   */
  readonly releaseBody?: boolean | undefined;
}

/**
 * A message as it is, header and body untouched.
 *
 * @param descriptor - encoded FlightDescriptor to go with it; the message's own is not sent on
 */
export function encodeRawMessage(
  message: RawIpcMessage,
  options: RawMessageOptions,
  descriptor?: Uint8Array,
): OutgoingMessage {
  if ('dataHeader' in message) {
    const { appMetadata, body, dataBody, dataHeader } = message;
    const onFlushed =
      options.releaseBody === true && body !== undefined ? (): void => body.release() : undefined;
    return encodeFlightData({ descriptor, dataHeader, appMetadata, bodyPieces: [dataBody] }, onFlushed);
  }
  const { header: dataHeader, onFlushed } = message;
  const appMetadata = message.appMetadata === undefined ? undefined : toBytes(message.appMetadata);
  if ('bodyPieces' in message) {
    const { bodyLength, bodyPieces } = message;
    return encodeFlightData({ descriptor, dataHeader, appMetadata, bodyPieces, bodyLength }, onFlushed);
  }
  const bodyPieces = message.body === undefined ? [] : [message.body];
  return encodeFlightData({ descriptor, dataHeader, appMetadata, bodyPieces }, onFlushed);
}
