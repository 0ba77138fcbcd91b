// Servers and requests over real sockets, for several tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectTarget,
  type HeaderList,
  type Http2ListenOptions,
  type Http2Listener,
  type Http2Session,
  type ListenTarget,
  listen,
} from '../../src/http2/index.ts';
import { Recorder, echoing } from './harness.ts';
import { requestFields } from './wire.ts';

/** Any free port of this machine. */
export const anyPort: ListenTarget = { kind: 'tcp', host: '127.0.0.1', port: 0 };

/** Where a listener of this machine is. */
export function local(listener: Pick<Http2Listener, 'port'>): ConnectTarget {
  return { kind: 'tcp', host: '127.0.0.1', port: listener.port };
}

/** A server of ours that sends back what it gets, and then trailers; headers come back with `echo-` before them. */
export function echoServer(
  target: ListenTarget = anyPort,
  options: Partial<Http2ListenOptions> = {},
): Promise<Http2Listener> {
  return listen(target, {
    session: () => ({
      onRequest: (headers, _endStream, stream) => {
        const back = headers
          .filter(([name]) => name.startsWith('x-'))
          .map(([name, value]) => [`echo-${name}`, value] as const);
        stream.sendHeaders([[':status', '200'], ...back]);
        return echoing(stream);
      },
    }),
    ...options,
  });
}

/** Sends a body and resolves with everything that came back. */
export function ask(
  session: Http2Session,
  body: Uint8Array,
  headers: HeaderList = requestFields,
): Promise<Recorder> {
  return new Promise((resolve) => {
    const recorder = new Recorder();
    const parts: Buffer[] = [];
    recorder.onData = (buffer, start, end) => {
      parts.push(Buffer.from(buffer.subarray(start, end)));
      recorder.stream?.consumed(end - start);
    };
    recorder.onClose = (error) => {
      recorder.body = Buffer.concat(parts);
      recorder.closed = true;
      recorder.error = error;
      resolve(recorder);
    };
    recorder.stream = session.request(headers, recorder);
    recorder.stream.write([body], body.length);
    recorder.stream.end();
  });
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'peregrine-h2-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Where a Unix socket may be, or what Windows has for it. */
export function socketPath(folder: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\peregrine-${process.pid}-${Math.random().toString(36).slice(2)}`
    : join(folder, 'h2.sock');
}
