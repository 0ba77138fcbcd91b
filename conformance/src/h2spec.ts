/** Runs h2spec, the conformance suite of HTTP/2 and HPACK, against our server: in the clear and over TLS. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { createDevCertificates } from '@peregrine/flight/auth';
import { listen, silentHandler } from '@peregrine/flight/http2';
import { goProgram } from './peers.ts';

const body = Buffer.from('peregrine');

/** Serves every request with 200 and a few bytes, and runs h2spec against that. */
async function runH2spec(tls: boolean): Promise<string> {
  const { server: certificate } = createDevCertificates();
  const listener = await listen(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    {
      tls: tls ? { cert: certificate.cert, key: certificate.key } : undefined,
      session: () => ({
        // h2spec's test of oversized HEADERS sends some 80 KB whatever SETTINGS_MAX_FRAME_SIZE says.
        limits: { maxFrameSize: 16_384 },
        onRequest: (_headers, endStream, stream) => {
          const answer = (): void => {
            stream.sendHeaders([
              [':status', '200'],
              ['content-type', 'text/plain'],
            ]);
            stream.write([body], body.length);
            stream.end();
          };
          if (endStream) {
            answer();
            return silentHandler;
          }
          return {
            ...silentHandler,
            onData: (_buffer, start, end) => stream.consumed(end - start),
            onEnd: answer,
          };
        },
      }),
    },
  );
  try {
    const options = ['-h', '127.0.0.1', '-p', String(listener.port), '-o', '3', ...(tls ? ['-t', '-k'] : [])];
    const child = spawn(goProgram('h2spec'), [...options, 'generic', 'http2', 'hpack']);
    let output = '';
    child.stdout.on('data', (part: Buffer) => {
      output += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => {
      output += part.toString();
    });
    await new Promise((resolve) => child.once('close', resolve));
    return output;
  } finally {
    await listener.destroy();
  }
}

describe('h2spec: generic, http2 and hpack', () => {
  for (const tls of [false, true]) {
    it(`passes every test ${tls ? 'over TLS' : 'in the clear'}`, async () => {
      const output = await runH2spec(tls);
      const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(output);
      assert.ok(summary !== null, output);
      assert.ok(Number(summary[1]) > 140, summary[0]);
      assert.equal(Number(summary[4]), 0, output.slice(output.indexOf('Failures:')));
      assert.equal(Number(summary[3]), 0, output);
    });
  }
});
