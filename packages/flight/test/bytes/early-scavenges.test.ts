import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EarlyScavenges, earlyScavenges } from '../../src/bytes/early-scavenges.ts';
import { maxScavengeStepBytes, maxYoungFillBytes, scavengeStepBytes } from '../../src/limits/bytes.ts';

const mebibyte = 1024 * 1024;

/** A heap whose collections free everything outside it but what is kept. */
class FakeHeap {
  external = 5 * mebibyte;
  room = 16 * mebibyte;
  keep = false;
  /** What was outside at each collection. */
  readonly collections: number[] = [];

  externalBytes(): number {
    return this.external;
  }
  youngRoom(): number {
    return this.room;
  }
  fill(byteLength: number): void {
    assert.equal(byteLength, this.room);
    this.collections.push(this.external);
    if (!this.keep) this.external = 5 * mebibyte;
  }
}

function read(heap: FakeHeap, scavenges: EarlyScavenges, bodies: number): void {
  for (let i = 0; i < bodies; i++) {
    scavenges.beforeBody(4 * mebibyte);
    heap.external += 4 * mebibyte;
  }
}

describe('early collections of bodies', () => {
  it('come before so much has come together that everything is collected', () => {
    const heap = new FakeHeap();
    read(heap, new EarlyScavenges(heap), 100);
    const each = scavengeStepBytes / (4 * mebibyte);
    assert.ok(heap.collections.length >= Math.floor(100 / (each + 1)), `${heap.collections.length}`);
    assert.ok(Math.max(...heap.collections) <= 5 * mebibyte + scavengeStepBytes + 4 * mebibyte);
  });

  it('become rare where bodies are kept, and come back when they are dropped', () => {
    const heap = new FakeHeap();
    const scavenges = new EarlyScavenges(heap);
    heap.keep = true;
    read(heap, scavenges, 2000);
    const gaps = heap.collections.map((external, i) => external - (heap.collections[i - 1] ?? 0)).slice(1);
    assert.ok(heap.collections.length < 15, `${heap.collections.length}`);
    assert.ok(Math.max(...gaps) <= maxScavengeStepBytes + 4 * mebibyte);
    for (const [i, gap] of gaps.entries()) assert.ok(gap >= (gaps[i - 1] ?? 0));
    heap.keep = false;
    heap.external = 5 * mebibyte;
    heap.collections.length = 0;
    read(heap, scavenges, 100);
    assert.ok(heap.collections.length > 8, `${heap.collections.length}`);
  });

  it('are left to the collector where the young generation is very large', () => {
    const heap = new FakeHeap();
    heap.room = maxYoungFillBytes + 1;
    read(heap, new EarlyScavenges(heap), 100);
    assert.equal(heap.collections.length, 0);
  });

  it('ask the collector no more often than it is worth', () => {
    let asked = 0;
    const scavenges = new EarlyScavenges({
      externalBytes: () => {
        asked++;
        return 0;
      },
      youngRoom: () => 0,
      fill: () => undefined,
    });
    for (let i = 0; i < 1024; i++) scavenges.beforeBody(64 * 1024);
    assert.equal(asked, 16);
  });

  it('work with the heap of this thread, where they are needed', () => {
    const scavenges = earlyScavenges();
    const needed = Number.parseInt(process.versions.v8, 10) >= 13;
    assert.equal(scavenges !== undefined, needed);
    const bodies: Uint8Array[] = [];
    for (let i = 0; i < 40; i++) {
      scavenges?.beforeBody(4 * mebibyte);
      bodies.push(new Uint8Array(Buffer.allocUnsafeSlow(4 * mebibyte).buffer));
      bodies[i]?.fill(i, 0, 16);
    }
    // Filling the young generation moves what is alive and loses none of it.
    assert.ok(bodies.every((body, i) => body[0] === i && body[15] === i));
  });
});
