// One side of a connection without a socket, driven by bytes and looked at by what it tells and what it sends.
import type { Http2Error } from '../../src/http2/errors.ts';
import { HpackDecoder } from '../../src/http2/hpack/index.ts';
import { SessionCore } from '../../src/http2/session-core.ts';
import type { Http2Limits } from '../../src/http2/session-limits.ts';
import type { SessionEvents } from '../../src/http2/session-parts.ts';
import type { HeaderList, Http2Stream, Http2StreamHandler } from '../../src/http2/types.ts';
import { ACK, type Frame, frame, parse, preface, settings } from './wire.ts';

/** What a stream has told. */
export class Recorder implements Http2StreamHandler {
  readonly told: string[] = [];
  headers: HeaderList = [];
  trailers: HeaderList = [];
  body: Buffer = Buffer.alloc(0);
  closed = false;
  error: Http2Error | undefined;
  stream: Http2Stream | undefined;
  /** Called with each payload, after it was recorded. */
  whenData: ((byteLength: number) => void) | undefined;

  onHeaders(headers: HeaderList, endStream: boolean): void {
    this.told.push(endStream ? 'headers end' : 'headers');
    this.headers = headers;
  }
  onData(buffer: Uint8Array, start: number, end: number): void {
    this.told.push('data');
    this.body = Buffer.concat([this.body, buffer.subarray(start, end)]);
    this.whenData?.(end - start);
  }
  onTrailers(headers: HeaderList): void {
    this.told.push('trailers');
    this.trailers = headers;
  }
  onEnd(): void {
    this.told.push('end');
  }
  onClose(error: Http2Error | undefined): void {
    this.told.push(error === undefined ? 'close' : `close ${error.code}`);
    this.closed = true;
    this.error = error;
  }
  onDrain(): void {
    this.told.push('drain');
  }
}

/** Sends back what it gets, and then trailers, and gives the window back. */
export function echoing(stream: Http2Stream): Recorder {
  const handler = new Recorder();
  handler.onData = (buffer, start, end) => {
    stream.write([buffer.slice(start, end)], end - start);
    stream.consumed(end - start);
  };
  handler.onEnd = () => stream.end([['grpc-status', '0']]);
  return handler;
}

/** A core and everything that it tells. */
export class Harness {
  readonly core: SessionCore;
  /** The streams that the peer opened, in order (server). */
  readonly requests: {
    readonly headers: HeaderList;
    readonly endStream: boolean;
    readonly handler: Recorder;
  }[] = [];
  readonly applicationErrors: string[] = [];
  fatal: Http2Error | undefined;
  ready = false;
  acknowledged = false;
  goaways = 0;
  /** Called for each request (server) instead of only recording it. */
  answer: ((stream: Http2Stream, handler: Recorder) => void) | undefined;
  readonly #decoder = new HpackDecoder({ maxTableSize: 4096, maxHeaderListSize: 1 << 20 });

  constructor(
    role: 'client' | 'server',
    limits: Http2Limits = {},
    events: Partial<SessionEvents> = {},
    sameMachine: boolean = false,
  ) {
    this.core = new SessionCore(
      role,
      {
        onOutput: () => undefined,
        onRequest: (headers, endStream, stream) => {
          const handler = new Recorder();
          handler.stream = stream;
          this.requests.push({ headers, endStream, handler });
          this.answer?.(stream, handler);
          return handler;
        },
        oversizedAnswer: undefined,
        onReady: () => {
          this.ready = true;
        },
        onSettingsAcknowledged: () => {
          this.acknowledged = true;
        },
        onGoaway: () => {
          this.goaways++;
        },
        onStreamClosed: () => undefined,
        whenFlushed: (callback) => callback(),
        onFatal: (error) => {
          this.fatal = error;
        },
        onApplicationError: (where, error) => {
          this.applicationErrors.push(`${where}: ${String(error)}`);
        },
        ...events,
      },
      limits,
      sameMachine,
    );
  }

  /** Gives the core bytes of its peer. */
  send(...parts: readonly Uint8Array[]): void {
    const bytes = Uint8Array.from(Buffer.concat(parts));
    this.core.receive(bytes, 0, bytes.length);
    // The buffer is used again: whoever kept a view of it sees.
    bytes.fill(0xdd);
  }

  /** The bytes that the core wants to send. */
  output(limit: number = Infinity): Buffer {
    const pieces: Uint8Array[] = [];
    const flushed: (() => void)[] = [];
    let byteLength = 0;
    while (this.core.hasOutput && byteLength < limit) {
      const batch = this.core.takeOutput(1 << 20);
      pieces.push(...batch.pieces);
      flushed.push(...batch.flushed);
      byteLength += batch.byteLength;
      this.core.tellDrained();
      if (batch.byteLength === 0) break;
    }
    const bytes = Buffer.concat(pieces);
    for (const callback of flushed) callback();
    return bytes;
  }

  /** The frames that the core wants to send. */
  frames(): Frame[] {
    return parse(this.output());
  }

  /** The headers in frames that the core has sent; all of them have to go through here, for the table. */
  decode(of: Frame | undefined): HeaderList {
    return this.#decoder.decode(of?.payload ?? new Uint8Array(0));
  }

  /** What it says last: the code of its GOAWAY frame. */
  goawayCode(): number | undefined {
    return this.frames()
      .find(({ type }) => type === 'GOAWAY')
      ?.payload.readUInt32BE(4);
  }
}

/** A server whose client has said hello; what it sent until now is forgotten. */
export function server(
  limits: Http2Limits = {},
  clientSettings: readonly (readonly [number, number])[] = [],
  events: Partial<SessionEvents> = {},
  sameMachine: boolean = false,
): Harness {
  const harness = new Harness('server', limits, events, sameMachine);
  harness.send(preface, settings(...clientSettings), frame('SETTINGS', ACK, 0));
  harness.output();
  return harness;
}

/** A client whose server has said hello; what it sent until now is forgotten. */
export function client(
  limits: Http2Limits = {},
  serverSettings: readonly (readonly [number, number])[] = [],
  sameMachine: boolean = false,
): Harness {
  const harness = new Harness('client', limits, {}, sameMachine);
  harness.send(settings(...serverSettings), frame('SETTINGS', ACK, 0));
  harness.output();
  return harness;
}
