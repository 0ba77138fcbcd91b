import type { Http2Error, Http2ErrorCode } from './errors.ts';

/** One header: a lower-case name and a value, both latin1 strings (a byte a code unit). */
export type HeaderField = readonly [name: string, value: string];

/** Headers in the order of the wire; names repeat where they repeat; pseudo headers come first. */
export type HeaderList = readonly HeaderField[];

/** What a stream tells its user. All of it is called synchronously while bytes are taken in or written. */
export interface Http2StreamHandler {
  /** The response's headers (client). With `endStream` nothing follows: a trailers-only response. */
  onHeaders(headers: HeaderList, endStream: boolean): void;
  /**
   * Payload: the bytes from `start` up to `end` of `buffer`, valid during the call only, since the buffer is used
   * again. Give the window back with {@link Http2Stream.consumed}.
   */
  onData(buffer: Uint8Array, start: number, end: number): void;
  /** Headers after the payload; {@link Http2StreamHandler.onEnd} follows. */
  onTrailers(headers: HeaderList): void;
  /** The peer has ended its side. */
  onEnd(): void;
  /** The stream is over: `undefined` when both sides ended it cleanly. Exactly once, after everything else. */
  onClose(error: Http2Error | undefined): void;
  /** {@link Http2Stream.write} said `false` and there is room again. */
  onDrain(): void;
}

/** One stream of a session, both roles. */
export interface Http2Stream {
  /** 0 while the stream waits for the peer's MAX_CONCURRENT_STREAMS. */
  readonly id: number;
  /** Payload bytes written and not yet handed to the transport. */
  readonly queuedBytes: number;
  /** The stream is over; nothing that is written goes anywhere. */
  readonly closed: boolean;
  /** Sends the response's headers (server); with `endStream` a trailers-only response. */
  sendHeaders(headers: HeaderList, endStream?: boolean): void;
  /**
   * Queues payload. Large pieces are not copied and must not change until `onFlushed`.
   *
   * @param onFlushed - every byte was handed to the kernel, or the stream died: the memory may be used again
   * @returns false when the queue is above its high-water mark: wait for `onDrain`
   */
  write(pieces: readonly Uint8Array[], byteLength: number, onFlushed?: () => void): boolean;
  /** Ends this side behind what is queued, with trailers if given. */
  end(trailers?: HeaderList): void;
  /** Ends the stream at once, both sides. */
  reset(code: Http2ErrorCode): void;
  /** The application took so many payload bytes: the peer may send as many more. */
  consumed(byteLength: number): void;
}

/** Called for each request that a client opens; gives the handler of its stream. */
export type Http2RequestListener = (
  headers: HeaderList,
  endStream: boolean,
  stream: Http2Stream,
) => Http2StreamHandler;

/** Where a session stands. `draining`: no new streams, those open go on. */
export type Http2SessionState = 'open' | 'draining' | 'closed';

/** The other end of a session's socket. */
export interface Http2Peer {
  /** `unix` sockets have a path and no port. */
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  /** IP address, or the path of a Unix socket (empty for an accepted one). */
  readonly address: string;
  /** 0 for Unix sockets. */
  readonly port: number;
  /** Present on TLS connections. */
  readonly tls: Http2TlsPeer | undefined;
}

/** What TLS tells of the peer. */
export interface Http2TlsPeer {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** The peer's certificate was checked against the authorities we trust. */
  readonly authorized: boolean;
  /** Subject and names of the peer's certificate; undefined when it showed none. */
  readonly certificate: Http2PeerCertificate | undefined;
}

/** The part of a peer's certificate that identifies it. */
export interface Http2PeerCertificate {
  /** Common name of the subject. */
  readonly commonName: string;
  /** Subject alternative names, as Node prints them: `DNS:localhost, IP Address:127.0.0.1`. */
  readonly subjectAlternativeNames: string;
  /** The certificate in DER. */
  readonly raw: Uint8Array;
}

/** One HTTP/2 connection. */
export interface Http2Session {
  /** Where the connection is in its life. */
  readonly state: Http2SessionState;
  /** Who is at the other end. */
  readonly peer: Http2Peer;
  /** Streams open now, those that wait included. */
  readonly openStreams: number;
  /** How many streams the peer lets us open at once; Infinity until it says. */
  readonly peerMaxConcurrentStreams: number;
  /** Bytes of headers, as `headerListSize` counts them, that the peer takes; Infinity until it says. */
  readonly peerMaxHeaderListSize: number;
  /** When bytes last came from the peer, in ms of `performance.now()`. */
  readonly lastReceivedAt: number;
  /**
   * Opens a stream (client). Above the peer's limit it waits for its turn; above our limit of waiting ones it throws.
   *
   * @throws Http2Error REFUSED_STREAM when the session is draining or closed, or too many streams wait
   */
  request(headers: HeaderList, handler: Http2StreamHandler, endStream?: boolean): Http2Stream;
  /** Resolves with the round trip in ms; rejects when the session ends first. */
  ping(): Promise<number>;
  /** No new streams from now on; resolves when the last one is over and the socket is closed. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(error?: Error): void;
  /** Whether the connection keeps the process alive, as sockets do. Default: true. */
  setKeepsAlive(keepsAlive: boolean): void;
  /** Resolves when the session is over, with what ended it; never rejects. */
  readonly ended: Promise<Http2Error | undefined>;
}
