import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFrame } from '../../src/http2/frame-checks.ts';
import { maxGoawayTextBytes, maxSettingsPerFrame } from '../../src/limits/http2.ts';
import { ACK, types, type TypeName } from './wire.ts';

const maxBlock = 1000;
const check = (type: TypeName, streamId: number, length: number, flags = 0): number =>
  checkFrame(types.indexOf(type), flags, streamId, length, maxBlock);
const refused = (code: string, type: TypeName, streamId: number, length: number, flags = 0): void =>
  assert.throws(() => check(type, streamId, length, flags), { code });

describe('the header of a frame', () => {
  it('may state as much as its limit, and no more', () => {
    for (const type of ['HEADERS', 'CONTINUATION'] as const) {
      assert.equal(check(type, 1, maxBlock), maxBlock);
      refused('ENHANCE_YOUR_CALM', type, 1, maxBlock + 1);
    }
    const settings = 6 * maxSettingsPerFrame;
    assert.equal(check('SETTINGS', 0, settings), settings);
    refused('ENHANCE_YOUR_CALM', 'SETTINGS', 0, settings + 6);
  });

  it('says how much of its payload is worth keeping', () => {
    assert.equal(check('PRIORITY', 1, 5), 5);
    assert.equal(check('PRIORITY', 1, 16_384), 5);
    assert.equal(check('GOAWAY', 0, 8), 8);
    assert.equal(check('GOAWAY', 0, 16_384), 8 + maxGoawayTextBytes);
    assert.equal(checkFrame(10, 0xff, 0, 16_384, maxBlock), 0);
    assert.equal(checkFrame(255, 0xff, 7, 1, maxBlock), 0);
  });

  it('has the one length of its type', () => {
    for (const [type, stream, length] of [
      ['RST_STREAM', 1, 4],
      ['WINDOW_UPDATE', 0, 4],
      ['WINDOW_UPDATE', 1, 4],
      ['PING', 0, 8],
      ['SETTINGS', 0, 6],
    ] as const) {
      assert.equal(check(type, stream, length), length);
      for (const wrong of [length - 1, length + 1]) refused('FRAME_SIZE_ERROR', type, stream, wrong);
    }
    refused('FRAME_SIZE_ERROR', 'GOAWAY', 0, 7);
    assert.equal(check('SETTINGS', 0, 0, ACK), 0);
    refused('FRAME_SIZE_ERROR', 'SETTINGS', 0, 6, ACK);
  });

  it('is refused where its type has no place', () => {
    for (const type of ['DATA', 'HEADERS', 'CONTINUATION', 'PRIORITY', 'RST_STREAM'] as const) {
      refused('PROTOCOL_ERROR', type, 0, type === 'RST_STREAM' ? 4 : 5);
    }
    for (const [type, length] of [
      ['SETTINGS', 6],
      ['PING', 8],
      ['GOAWAY', 8],
    ] as const) {
      refused('PROTOCOL_ERROR', type, 1, length);
    }
    // nobody asked for one, whatever else could be read into it
    for (const stream of [0, 1]) refused('PROTOCOL_ERROR', 'PUSH_PROMISE', stream, 8);
  });
});
