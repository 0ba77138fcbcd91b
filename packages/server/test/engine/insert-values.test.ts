import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { valuesInsert } from '../../src/engine/insert-values.ts';

describe('an INSERT of parameters', () => {
  const made: readonly (readonly [sql: string, parameters: number, made: string])[] = [
    ['INSERT INTO t VALUES (?, ?)', 2, 'INSERT INTO t SELECT unnest(?), unnest(?)'],
    ['insert into t(a,b) values($2,$1) ;', 2, 'INSERT INTO t (a, b) SELECT unnest($2), unnest($1)'],
    [
      'INSERT /* x */ INTO "a b"."c.d".t\n(x, "y "" z") VALUES (:p, :q)',
      2,
      'INSERT INTO "a b"."c.d".t (x, "y "" z") SELECT unnest(:p), unnest(:q)',
    ],
    ['INSERT INTO t VALUES (?) -- all', 1, 'INSERT INTO t SELECT unnest(?)'],
  ];
  for (const [sql, parameters, wanted] of made) {
    it(sql, () => assert.equal(valuesInsert(sql, parameters)?.sql, wanted));
  }

  it('tells its table and columns as they are written', () => {
    const insert = valuesInsert('INSERT INTO s."T" (a, "B c") VALUES (?, ?)', 2);
    assert.equal(insert?.table, 's."T"');
    assert.equal(insert?.name, '"T"');
    assert.deepEqual(insert?.columns, ['a', '"B c"']);
  });

  const others: readonly (readonly [sql: string, parameters: number])[] = [
    ['INSERT INTO t VALUES (?, ?), (?, ?)', 4],
    ['INSERT INTO t VALUES (?, 1)', 1],
    ['INSERT INTO t VALUES (?, DEFAULT)', 1],
    ['INSERT INTO t VALUES (?::INTEGER)', 1],
    ['INSERT INTO t VALUES (? + 1)', 1],
    ['INSERT INTO t VALUES (upper(?))', 1],
    ['INSERT INTO t VALUES ($1, $1)', 1],
    ['INSERT INTO t VALUES ($a, $A)', 1],
    ['INSERT INTO t VALUES (?) RETURNING a', 1],
    ['INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING', 1],
    ['INSERT OR REPLACE INTO t VALUES (?)', 1],
    ['INSERT OR IGNORE INTO t VALUES (?)', 1],
    ['INSERT INTO t BY NAME VALUES (?)', 1],
    ['INSERT INTO t AS x VALUES (?)', 1],
    ['INSERT INTO t SELECT ?', 1],
    ['WITH x AS (SELECT 1) INSERT INTO t VALUES (?)', 1],
    ['INSERT INTO t VALUES (?); DROP TABLE t', 1],
    ['INSERT INTO a.b.c.d VALUES (?)', 1],
    ['INSERT INTO t DEFAULT VALUES', 0],
    ['INSERT INTO t () VALUES ()', 0],
    ['EXPLAIN INSERT INTO t VALUES (?)', 1],
    ['UPDATE t SET a = ?', 1],
    ['REPLACE INTO t VALUES (?)', 1],
    ['INSERT AT t VALUES (?)', 1],
    ['INSERT INTO t (a) ROWS (?)', 1],
    ['"INSERT" INTO t VALUES (?)', 1],
    ['INSERT INTO t VALUES [?)', 1],
    ['INSERT INTO t VALUES (?]', 1],
    ['INSERT INTO 1 VALUES (?)', 1],
    ["INSERT INTO 't' VALUES (?)", 1],
    ['INSERT INTO t. VALUES (?)', 1],
    ['INSERT INTO t (a, 1) VALUES (?, ?)', 2],
    ['INSERT INTO t (a, b VALUES (?, ?)', 2],
    ['INSERT INTO t VALUES (?', 1],
    ['INSERT INTO t VALUES (?, ?)', 1],
    ['INSERT INTO t VALUES ($2, $2)', 2],
    ['INSERT INTO', 0],
    ['', 0],
  ];
  for (const [sql, parameters] of others) {
    it(`is not ${sql}`, () => assert.equal(valuesInsert(sql, parameters), undefined));
  }
});
