import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { commandOf } from '../../src/shell/backslash.ts';
import { complete } from '../../src/shell/completer.ts';
import { historyFile, joinEntry, loadHistory, saveHistory } from '../../src/shell/history.ts';
import { cutStatements, givesRows, statementsOf } from '../../src/shell/statements.ts';
import { createTurns } from '../../src/shell/turns.ts';

describe('statements of a text', () => {
  it('end at semicolons outside of quotes and comments', () => {
    assert.deepEqual(cutStatements('SELECT \';\' -- ;\n, ";", $$;$$ /* ; */;\nSELECT 2 ; SELECT'), {
      statements: ['SELECT \';\' -- ;\n, ";", $$;$$ /* ; */', 'SELECT 2'],
      rest: ' SELECT',
    });
    assert.deepEqual(cutStatements(';; ;\n-- nothing\n'), { statements: [], rest: '' });
    assert.equal(cutStatements("SELECT 'a;\n").rest, "SELECT 'a;\n", 'the quote is open');
    assert.equal(cutStatements('/* a;').rest, '/* a;', 'the comment is open');
    assert.deepEqual(cutStatements('/* a;\n*/ SELECT 1;').statements, ['/* a;\n*/ SELECT 1']);
    assert.deepEqual(statementsOf('a; b -- c'), ['a', 'b -- c']);
    assert.deepEqual(statementsOf(' -- c'), []);
  });

  it('give rows or not by their first word, where the server does not tell', () => {
    for (const sql of [
      'SELECT 1',
      '/* x */ (with a as (select 1) from a)',
      'INSERT INTO t VALUES (1) RETURNING a',
    ])
      assert.equal(givesRows(sql), true, sql);
    for (const sql of ['INSERT INTO t VALUES (1)', 'create table t (a int)', ''])
      assert.equal(givesRows(sql), false, sql);
  });
});

describe('commands of the shell', () => {
  it('are told from SQL, by backslash, point or word', () => {
    assert.deepEqual(commandOf('\\d "my table" ;'), ['\\d', '"my table"']);
    assert.deepEqual(commandOf(' .tables'), ['\\d', '']);
    assert.deepEqual(commandOf('quit;'), ['\\q', '']);
    assert.deepEqual(commandOf('HELP'), ['\\?', '']);
    assert.deepEqual(commandOf('\\h'), ['\\?', '']);
    for (const sql of ['SELECT 1;', 'quit smoking', '1.5', '']) assert.equal(commandOf(sql), undefined, sql);
  });

  it('complete words by tables, columns and keywords, in the case that was begun', () => {
    const names = ['"Beak Length (mm)"', 'penguins', 'sex'];
    assert.deepEqual(complete('SELECT "be', names, []), [['"Beak Length (mm)"'], '"be']);
    assert.deepEqual(complete('from pen', names, []), [['penguins'], 'pen']);
    assert.deepEqual(complete('SE', names, []), [['sex', 'SELECT', 'SET'], 'SE']);
    assert.deepEqual(complete('sel', names, []), [['select'], 'sel']);
    assert.deepEqual(complete('select ', names, []), [[], '']);
    assert.deepEqual(complete('\\d', names, ['\\d', '\\dn', '\\x']), [['\\d', '\\dn'], '\\d']);
  });
});

describe('the history', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-history-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is kept for its user alone, without secrets, and comes back the last first', () => {
    const file = join(folder, 'deep', 'history');
    assert.deepEqual(loadHistory(file), []);
    saveHistory(file, ['SELECT 2;', "CREATE SECRET s (TYPE s3, KEY_ID 'x');", 'SELECT 1;']);
    assert.equal(readFileSync(file, 'utf8'), 'SELECT 1;\nSELECT 2;\n');
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(loadHistory(file), ['SELECT 2;', 'SELECT 1;']);
    saveHistory(folder, ['x']);
    saveHistory(undefined, ['x']);
  });

  it('lies where the variables say', () => {
    assert.equal(historyFile({ PEREGRINE_HISTORY: '/a' }), '/a');
    assert.equal(historyFile({ PEREGRINE_HISTORY: '' }), undefined);
    assert.equal(historyFile({ XDG_STATE_HOME: '/s' }), join('/s', 'peregrine', 'history'));
    assert.match(historyFile({}) ?? '', /history$/);
  });

  it('has a statement of several lines as one entry', () => {
    const history = ['FROM t;', 'SELECT 1', 'SELECT 0;'];
    joinEntry(history, ['SELECT 1', '  FROM t;']);
    assert.deepEqual(
      history,
      ['SELECT 1 FROM t;', 'FROM t;', 'SELECT 1', 'SELECT 0;'],
      'not those of before',
    );
    const lines = ['  FROM t;', 'SELECT 1', 'SELECT 0;'];
    joinEntry(lines, ['SELECT 1', '  FROM t;']);
    assert.deepEqual(lines, ['SELECT 1 FROM t;', 'SELECT 0;']);
    const commented = ['b;', 'a -- x'];
    joinEntry(commented, ['a -- x', 'b;']);
    assert.deepEqual(commented, ['b;', 'a -- x']);
  });
});

describe('what runs at a prompt', () => {
  it('is cancelled by Ctrl-C, be it a command or a statement of its script', async () => {
    const said: string[] = [];
    const turns = createTurns((text) => void said.push(text));
    const hang = (signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    assert.equal(turns.cancel(), false);
    const command = turns.run(hang);
    assert.equal(turns.cancel(), true);
    assert.equal(await command, false);
    const outcomes: boolean[] = [];
    const script = turns.run(async (signal) => {
      const statement = turns.run(hang);
      turns.cancel();
      outcomes.push(await statement);
      await hang(signal);
    });
    while (outcomes.length === 0) await nextTurn();
    assert.equal(turns.cancel(), true);
    assert.equal(await script, false);
    assert.deepEqual([outcomes, said], [[false], Array.from({ length: 3 }, () => '(cancelled)\n')]);
    await assert.rejects(
      turns.run(() => Promise.reject(new Error('its own'))),
      /its own/,
    );
    assert.equal(turns.cancel(), false);
  });
});
