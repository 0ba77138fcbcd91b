import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightUnavailableError } from '@peregrine/flight';
import { createLocalStorage } from '../../src/store/local-storage.ts';
import type { Scan } from '../../src/store/scan.ts';
import { createSourceLooks } from '../../src/store/source-looks.ts';
import type { Source } from '../../src/store/sources.ts';

/** A source whose looks end when they are told to. */
function slowSource(given: string): Source & { readonly looks: ((scan: Scan | Error) => void)[] } {
  const looks: ((scan: Scan | Error) => void)[] = [];
  return {
    given,
    looks,
    storage: createLocalStorage('/none'),
    isFolder: true,
    deep: true,
    look: () =>
      new Promise((resolve, reject) => {
        looks.push((scan) => (scan instanceof Error ? reject(scan) : resolve(scan)));
      }),
  };
}

function scanOf(name: string): Scan {
  return { tables: [], datasets: new Map([[name, []]]) };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));

describe('Looking at several paths', () => {
  it('does not wait for one that is silent, and tells when it has answered', async () => {
    const silent = slowSource('s3://silent');
    let name = '';
    const quick = { ...slowSource('quick'), look: async () => scanOf(name) };
    let late = 0;
    const looks = createSourceLooks(
      [silent, quick],
      async () => undefined,
      () => void late++,
    );
    for (name of ['first', 'second']) {
      const { looked, problems } = await looks.look(1);
      assert.deepEqual(
        looked.map(({ scan }) => [...scan.datasets.keys()]),
        [[], [name]],
      );
      assert.deepEqual(
        problems.map(({ origin }) => origin),
        ['s3://silent'],
      );
      assert.match(problems[0]?.message ?? '', /not answered yet/);
    }
    silent.looks.shift()?.(scanOf('late'));
    await settled();
    assert.equal(late, 1);
    assert.deepEqual([...(looks.known().looked[0]?.scan.datasets.keys() ?? [])], ['late']);
    assert.deepEqual(looks.known().problems, []);
  });

  it('looks again where a look was under way, which may have passed by what is new', async () => {
    const source = slowSource('a');
    const looks = createSourceLooks(
      [source],
      async () => undefined,
      () => undefined,
    );
    const before = looks.look(Infinity);
    const after = looks.look(Infinity);
    const also = looks.look(Infinity);
    await settled();
    assert.equal(source.looks.length, 1);
    source.looks.shift()?.(scanOf('old'));
    await before;
    await settled();
    // Both that came meanwhile are one.
    assert.equal(source.looks.length, 1);
    source.looks.shift()?.(scanOf('new'));
    for (const look of [after, also])
      assert.deepEqual([...((await look).looked[0]?.scan.datasets.keys() ?? [])], ['new']);
  });

  it('keeps what it knew of one that fails', async () => {
    const source = slowSource('a');
    let reached: Error | undefined = new Error('no httpfs');
    const looks = createSourceLooks(
      [source],
      async () => {
        if (reached !== undefined) throw reached;
      },
      () => undefined,
    );
    for (const [scan, problems] of [
      [scanOf('x'), ['no httpfs']],
      [new FlightUnavailableError('gone'), ['gone']],
      [scanOf('x'), []],
    ] as const) {
      const look = looks.look(Infinity);
      await settled();
      source.looks.shift()?.(scan);
      const found = await look;
      assert.deepEqual([...(found.looked[0]?.scan.datasets.keys() ?? [])], ['x']);
      assert.deepEqual(
        found.problems.map(({ message }) => message),
        problems,
      );
      reached = undefined;
    }
  });
});
