import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
