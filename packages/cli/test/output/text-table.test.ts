import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Field, Schema, Utf8 } from 'apache-arrow';
import { schemaToTable } from '../../src/output/flight-info.ts';
import { renderDescriptions, renderTextTable } from '../../src/output/text-table.ts';

/** The width of the rule under a column of one cell. */
function widthOf(cell: string): number {
  return renderTextTable([''], [[cell]]).split('\n')[1]?.length ?? 0;
}

describe('a table of text', () => {
  it('gives characters the columns that terminals give them', () => {
    for (const [text, width] of [
      ['abc', 3],
      ['日本語', 6],
      ['한국', 4],
      ['e\u0301te\u0301', 3],
      ['😀', 2],
      ['✅', 2],
      ['⌚', 2],
      ['✓', 1],
      ['👩\u200d👧', 4],
      ['a\u200bb\ufeffc', 3],
    ] as const) {
      assert.equal(widthOf(text), width, JSON.stringify(text));
    }
  });

  it('shows what would break its lines, or turn them around, as symbols', () => {
    assert.match(renderTextTable(['x'], [['a\nb\tc\x1b[31m\u009b']]), /^a␊b␉c␛\[31m␡$/m);
    assert.match(renderTextTable(['x'], [['a\u202eb\u2066c']]), /^a\ufffdb\ufffdc$/m);
  });

  it('takes no longer for cells of megabytes', () => {
    const rows = Array.from({ length: 40 }, () => ['x'.repeat(400_000), '日'.repeat(400_000)]);
    const started = performance.now();
    const table = renderTextTable(['a', 'b'], rows, { screen: 80 });
    // it was half a minute, as every character was looked at several times
    assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`);
    for (const line of table.trimEnd().split('\n').slice(2)) assert.match(line, /^x{38}… {2}日{19}…$/);
  });

  it('shows columns of a schema whole in a pipe, and within a terminal', () => {
    const name = 'a_name_that_is_longer_than_any_cell_of_a_table_for_people_is';
    const schema = new Schema([new Field(name, new Utf8())]);
    assert.ok(schemaToTable(schema, undefined).includes(name));
    for (const line of schemaToTable(schema, 40).trimEnd().split('\n')) assert.ok(line.length <= 40, line);
  });

  it('cuts long cells, and aligns numbers at the right', () => {
    const lines = renderTextTable(
      ['name', 'n'],
      [
        ['x'.repeat(60), '1'],
        ['日'.repeat(30), '200'],
      ],
      { rightAligned: [false, true] },
    ).split('\n');
    assert.equal(lines[2], `${'x'.repeat(47)}…    1`);
    assert.equal(lines[3], `${'日'.repeat(23)}…   200`);
    assert.equal(renderTextTable([], []), '');
  });

  it('takes from the widest columns what a terminal has no room for', () => {
    const row = ['ab', 'x'.repeat(30), 'y'.repeat(20)];
    const wide = renderTextTable(['a', 'b', 'c'], [row], { screen: 56 });
    assert.ok(wide.includes(row.join('  ')), 'it fits');
    const narrow = renderTextTable(['a', 'b', 'c'], [row], { screen: 40 }).split('\n');
    assert.equal(narrow[2], `ab  ${'x'.repeat(16)}…  ${'y'.repeat(16)}…`);
    assert.ok(narrow.every((line) => line.length <= 40));
  });

  it('shows rows as lists where there are too many columns', () => {
    const header = ['id', 'name', 'a long one'];
    const rows = [
      ['1', 'x'.repeat(40), 'y'.repeat(10)],
      ['2', 'z', '日本'],
    ];
    const shown = renderTextTable(header, rows, { screen: 20 });
    assert.equal(
      shown,
      `${[
        '── row 1 ─────────',
        'id        1',
        'name      xxxxxxxxx…',
        'a long …  yyyyyyyyyy',
        '── row 2 ─────────',
        'id        2',
        'name      z',
        'a long …  日本',
      ].join('\n')}\n`,
    );
  });

  it('wraps sentences', () => {
    const shown = renderDescriptions(['a', 'what'], [['ping', 'Answers "pong" to whoever asks for it.']], 30);
    assert.deepEqual(shown.split('\n'), [
      'a     what',
      '────  ────────────────────',
      'ping  Answers "pong" to',
      '      whoever asks for it.',
      '',
    ]);
  });
});
