// Sessions against frames in any order, of any kind, in any pieces: they may fail, but only as the RFC says, and what
// they tell is always in order.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Http2Error } from '../../src/http2/errors.ts';
import { Harness, client, server } from './harness.ts';
import { block, frame, parse, preface, request, requestFields, settings, types } from './wire.ts';

const streamId = fc.constantFrom(0, 1, 2, 3, 5, 7, 0x7fffffff);
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 9, 0x20, 0x2d), fc.nat({ max: 255 }));
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constant(block(...requestFields)),
  fc.constant(block([':status', '200'])),
  fc.constant(block(['x', 'y'])),
  fc.nat({ max: 0x7fffffff }).map((word) => Buffer.from(word.toString(16).padStart(8, '0'), 'hex')),
  fc.constant(Buffer.alloc(8)),
  fc.constant(Buffer.alloc(3000)),
);
const anyFrame = fc
  .tuple(fc.nat({ max: 10 }), flags, streamId, payload)
  .map(([type, flag, stream, body]) => frame(type, flag, stream, body));
/** Frames that are right more often than not, so that sessions get further. */
const likelyFrame = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 3, 5, 7, 9).map((id) => request(id, 4)) },
  { weight: 2, arbitrary: fc.constantFrom(1, 3, 5, 7, 9).map((id) => request(id)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 3, 5, 7), fc.constantFrom(0, 1), fc.nat({ max: 200 }))
      .map(([id, end, length]) => frame('DATA', end, id, Buffer.alloc(length, 7))),
  },
  { weight: 1, arbitrary: fc.constantFrom(1, 3, 5).map((id) => frame('RST_STREAM', 0, id, [8])) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 3).map((id) => frame('WINDOW_UPDATE', 0, id, [100])) },
  { weight: 1, arbitrary: fc.constant(frame('PING', 0, 0, [1, 2])) },
  { weight: 1, arbitrary: fc.nat({ max: 70_000 }).map((window) => settings([4, window])) },
  { weight: 1, arbitrary: fc.constantFrom(1, 3, 5).map((id) => frame('HEADERS', 5, id, block(['x', 'y']))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1, 3, 5).map((id) => frame('HEADERS', 4, id, block([':status', '200']))),
  },
  { weight: 1, arbitrary: anyFrame },
);

/** Sends bytes in pieces and takes the output; gives everything that was told and sent. */
function run(make: () => Harness, frames: readonly Buffer[], places: readonly number[]): unknown {
  const harness = make();
  if (harness.requests.length === 0) {
    harness.answer = (stream) => {
      stream.sendHeaders([[':status', '200']]);
      stream.write([Buffer.alloc(500)], 500);
      stream.end([['grpc-status', '0']]);
    };
  }
  const bytes = Buffer.concat(frames);
  const cuts = [0, ...places.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
  for (const [i, end] of cuts.slice(1).entries()) harness.send(bytes.subarray(cuts[i], end));
  const output = harness.output();
  const told = harness.requests.map(({ handler, headers }) => {
    // Chunks of payload depend on the pieces, what they hold does not.
    const events = handler.told.filter((what, i) => what !== 'data' || handler.told[i - 1] !== 'data');
    checkOrder(handler.told);
    return [headers, events, handler.body.toString('hex')];
  });
  assert.ok(harness.fatal === undefined || harness.fatal instanceof Http2Error);
  for (const one of parse(output)) assert.ok(types.some((type) => type === one.type));
  return [harness.fatal?.code, told, output.toString('hex')];
}

function checkOrder(told: readonly string[]): void {
  const order = told.map((what) =>
    ['headers', 'data', 'trailers', 'end', 'close'].indexOf(what.split(' ')[0] ?? ''),
  );
  const inOrder = order.filter((place) => place >= 0);
  assert.deepEqual(
    inOrder,
    inOrder.toSorted((a, b) => a - b),
    told.join(),
  );
  assert.ok(told.filter((what) => what.startsWith('close')).length <= 1);
  assert.ok(told.filter((what) => what === 'end').length <= 1);
}

describe('a session', () => {
  it('of a server says and tells the same however its bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(likelyFrame, { maxLength: 25 }),
        fc.array(fc.nat({ max: 3000 }), { maxLength: 30 }),
        (frames, places) => {
          assert.deepEqual(
            run(() => server({ streamWindowBytes: 400 }), frames, places),
            run(() => server({ streamWindowBytes: 400 }), frames, []),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('of a client meets any frames with nothing but errors of HTTP/2', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(likelyFrame, anyFrame), { maxLength: 25 }), (frames) => {
        run(
          () => {
            const harness = client();
            for (let i = 0; i < 4; i++) harness.core.request(requestFields, noHandler, i % 2 === 0);
            harness.output();
            return harness;
          },
          frames,
          [],
        );
      }),
      { numRuns: 300 },
    );
  });

  it('meets any bytes behind the preface with nothing but errors of HTTP/2', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (pieces) => {
        const harness = new Harness('server');
        harness.send(preface, settings());
        for (const piece of pieces) harness.send(piece);
        assert.ok(harness.fatal === undefined || harness.fatal instanceof Http2Error);
        harness.output();
      }),
      { numRuns: 300 },
    );
  });
});

const noHandler = { onHeaders() {}, onData() {}, onTrailers() {}, onEnd() {}, onClose() {}, onDrain() {} };
