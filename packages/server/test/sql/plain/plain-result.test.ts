import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { ipcStreamMessages } from '@peregrine/flight/ipc';
import { CellRecord } from '../../../src/formats/cell-record.ts';
import { type Row, readRows } from '../../../src/engine/rows.ts';
import type { EngineBatch, EngineResult } from '../../../src/engine/types.ts';
import { takeRows } from '../../../src/sql/plain/take.ts';
import { plainResult, plainSchema } from '../../../src/sql/plain/plain-result.ts';

/*
 * Six rows of pyarrow 26: each column DictionaryArray.from_arrays(indices, values), with indices [2, 0, null, 1, 2, 1] of
 * every width and three values of another type each, and two columns that have a dictionary below them.
 */
const stream = inflateSync(
  Buffer.from(
    [
      'eNrNWDFPHEcUntm921vwYm2ik7VSkLKRKFwkkgsXJ4XiihQULigoKJDCYc7mpDNHuMWA5B9A4cJFChcprqSgoIooXbigcJHCRYoU',
      'FClcpEhJ4GDz3s7b27nnnbvloPBIw87sm3nzfd97M7NHHMfxmSOEL7BMC084oixcaEGRJVGCx8Z/cYzP+1DXYWy/LMQh1CWoJahH',
      'YJyFGtlC/GMJ8RvUOah7UogTmINz/wYf4PD+LLTrUEN6b6F/egeuRXersd1tCvHmIo496M8IVf5K5gvpwp9zwmORDZYRQT/xX0Ye',
      'VfKd2rpQXfA3r8ZYeWNaiOFCrYFYfr3I8C4wvBHUJ1DLqEdzE+GK+qXC65HP1xcZXjdR1RUurcaxfxyD/T34Oh+Dva9hn7tKxs4E',
      '2NZwIw98N4VzNn/uRts7T5HLHGBfvhrtf+Uy8398qfDiuFrOeNSjB3jR1z2Rld5lpslbaH9Qa3o4f5Z8SPJXURjbrW4k3sPYuf7w',
      'moG2Jj5bUfMFtk/7Kg7TZKv2szU9aLeVH4l+5nP8bO6029hevVL4pzT8q5qvZWifKF9+QPmrc6hRfjxr7TXXUTPy52r+jjV/D8CO',
      'MTq7zuJg4viJ5uGYeYo1rv0Ty9MVqI/TfUXBrl0rHBUNR+0qw/EI2uuxOR/3oS7BmIPYnC97mP9XWb6cUZwD0lzXqU7tJNBQDq5V',
      '/Bzy91HD9iHRsAoaOoAfR/l0bo3WK7hWPlCbttK3khf/SrKfn7ZeNNrCjxWOMtl+h3l12ssl2svTpPM7ilmV9Nb1sJM8jsQq+Uvf',
      'H11n+pxobU/p6lTZOZlyWut0kvx0Ex1KCQ6f1knLGvjAeX3wu6L8BSZ/L1vNXeXPH/jztPNpKc60ewLtI+WvWmX5JkirdmP7eTPx',
      '9/XAX5VirYqTvHcIdy/GmAaDmGJ8KablvDXwGTX3IoXZTd6kmDE2LnihPSaVVd1hsEx8SFhEMr5KN52nzmyrlNhCsqsbMNMXox1Q',
      '7Kfp/Oe662058KOKT8/AMNZm8/LsWBtra8k75HNcgM/yAEcWj2AoHjfjxUvIno8NvHjhPNN5wK8Rtjubz5vbIcY5jDYam/CnCbW1',
      'He3/EO12wrX9qNkNO89CHNrZSvU4LaDHYo4es1q+41fOLCiQZhV+86zSPernxEUW1OkRe347Rid819D6iI9CP5iP7NN+jmiNEDd3',
      'uNFpr3cTfXoF9PEN+WIb8mU+RxdrxD6QY/K+zPpFcYcG3KU7wh0U3K+D7w4Wz6I8agYe5Tvi8aggj3WG/1SMLsjvj1vEyTHwW8nh',
      'V7rBOStY32U6cf4Wm8d1TaukJ/LGzjjedQPvioH3qxzeToF9xfk/ZHwesnG1HN72iLyQhrOubBhnOvtT/bZ+yfLn3S3yx53wPhun',
      'ozcmXxzm09a+JdU4a2g95Lk1dD6w39zA08vhN6WNr2r8qoTR9D1ha+sW+V4IDPpOj9HXKngPekxfflZZhnxJ37/cvRs+975APr6c',
      '/H7wDHxe5+R/JYeby/iYzk9/zLnC7xlpOFeE4byVYvQLyTi4zLaj5bu4hZ4zE57Ldg6uvO+I0PAd7d9Qv3H91EHFgIefybp+e7au',
      '34Nh/exSwuVQ5uv0vaW46Np8N+LcdRh/yfTyWJ5JplM6boHZF5l9g9m3mJ8esx8y+5/Mfsbwf2L2f5n9nMdVDttdye4hZg/Yfkj7',
      's+l9zubX5fD9vMDmL7Dxi2y9ZTY+7ad6HLD5b9j8t8zek5/vma+0Pr9Xv7S+MPxO4XZnQnva/zE7H6Ulh/r0VSH5uM/uFzmhPe+8',
      'tcz4Jp3HeRXq69/htlbTeHyTAZA6P+zrhynHZ7PfFuWCeGP1/zHxPw2V0OQ=',
    ].join(''),
    'base64',
  ),
);

/** What pyarrow's to_pylist() says. */
const expected: Readonly<Record<string, readonly unknown[]>> = {
  text: [null, 'a', null, 'bb', null, 'bb'],
  large: [
    'a longer text than the thirty-two bytes of a loop',
    'a',
    null,
    'bb',
    'a longer text than the thirty-two bytes of a loop',
    'bb',
  ],
  view: ['a longer text than a view holds', 'a', null, 'bb', 'a longer text than a view holds', 'bb'],
  bool: [false, true, null, null, false, null],
  int: [null, 10, null, 20, null, 20],
  decimal: [null, '1.00', null, '2.00', null, '2.00'],
  list: [null, [1, 2], null, [], null, []],
  struct: [{ x: null, y: 'q' }, { x: 1, y: 'p' }, null, null, { x: null, y: 'q' }, null],
  fixed: [null, [1, 2], null, [3, null], null, [3, null]],
  null: [null, null, null, null, null, null],
  in_list: [['v', 'w'], [], [null], [], [], ['w', 'w']],
  in_struct: [
    { e: 'v', i: 0 },
    { e: 'w', i: 1 },
    { e: null, i: 2 },
    { e: 'w', i: 3 },
    { e: 'v', i: 4 },
    { e: 'w', i: 5 },
  ],
  dense: [8, 7, null, 'u', 8, 'u'],
  sparse: [8, 7, null, 'u', 8, 'u'],
};

interface TestResult extends EngineResult {
  /** Batches that nobody released. */
  readonly out: () => number;
  readonly isClosed: () => boolean;
}

async function result(repeat = 1): Promise<TestResult> {
  const messages = [];
  for await (const message of ipcStreamMessages(stream)) messages.push(message);
  const [first, ...rest] = messages;
  assert.ok(first !== undefined);
  let out = 0;
  let isClosed = false;
  const batchOf = ({ body, header, message }: (typeof rest)[number]): EngineBatch => {
    out++;
    const memory = Uint8Array.from(body);
    return {
      kind: message.kind === 'dictionary' ? 'dictionary' : 'records',
      rows: 0,
      header,
      body: memory,
      release() {
        out--;
        // The engine uses the memory again.
        memory.fill(0xaa);
      },
    };
  };
  return {
    schema: first.header,
    isClosed: () => isClosed,
    out: () => out,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < repeat; i++) for (const message of rest) yield batchOf(message);
      return undefined;
    },
    progress: async () => 0.5,
    async close() {
      isClosed = true;
    },
  };
}

function column(rows: readonly Row[], name: string): unknown[] {
  const text = JSON.stringify(
    rows.map((row) => row[name]),
    (_, value: unknown) => {
      if (value instanceof CellRecord) return Object.fromEntries(value.entries);
      return typeof value === 'bigint' ? Number(value) : value;
    },
  );
  return JSON.parse(text);
}

describe('results without dictionaries', () => {
  for (const [name, values] of Object.entries(expected)) {
    it(`have the values of the column ${name}`, async () => {
      assert.deepEqual(column(await readRows(plainResult(await result())), name), values);
    });
  }

  it('take the dictionaries that come later', async () => {
    const rows = await readRows(plainResult(await result(2)));
    assert.equal(rows.length, 12);
    assert.deepEqual(column(rows, 'text'), [...(expected['text'] ?? []), ...(expected['text'] ?? [])]);
  });

  it('give the memory of the engine back, also when their reader leaves', async () => {
    const source = await result(3);
    for await (const batch of plainResult(source)) {
      batch.release();
      break;
    }
    assert.equal(source.out(), 0);
  });

  it('are the same objects where there are no dictionaries', async () => {
    const source = await result();
    const without = { ...source, schema: plainSchema(source.schema) };
    assert.equal(plainResult(without), without);
    assert.equal(plainSchema(without.schema), without.schema);
  });

  it('pass on progress and closing', async () => {
    const source = await result();
    const plain = plainResult(source);
    assert.equal(await plain.progress(), 0.5);
    await plain.close();
    assert.ok(source.isClosed());
  });
});

describe('rows of list views', () => {
  it('are taken by where they begin and how long they are', () => {
    const int32 = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.of(...values).buffer);
    const numbers = {
      layout: { name: 'item', shape: { kind: 'fixed', width: 4 }, children: [], dictionary: undefined },
      length: 4,
      nullCount: 0,
      buffers: [new Uint8Array(0), int32(10, 20, 30, 40)],
      children: [],
    } as const;
    const taken = takeRows(
      {
        layout: {
          name: 'l',
          shape: { kind: 'list-view', wide: false },
          children: [numbers.layout],
          dictionary: undefined,
        },
        length: 3,
        nullCount: 0,
        buffers: [new Uint8Array(0), int32(2, 0, 1), int32(2, 1, 0)],
        children: [numbers],
      },
      Int32Array.of(1, 0, -1, 2, 0),
    );
    assert.equal(taken.nullCount, 1);
    assert.deepEqual(taken.buffers, [Uint8Array.of(0b11011), int32(0, 1, 3, 3, 3), int32(1, 2, 0, 0, 2)]);
    assert.deepEqual(taken.children[0]?.buffers[1], int32(10, 30, 40, 30, 40));
  });
});
