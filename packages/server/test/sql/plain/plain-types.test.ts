import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import { DataType } from 'apache-arrow';
import { type RunningServer, startServer } from '../running-server.ts';

describe('plain types', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  it('are given to clients that say so, in messages that every peer takes', async () => {
    const client = server.sql(true);
    const text =
      "SELECT (CASE range % 3 WHEN 0 THEN repeat('a', 1200) WHEN 1 THEN repeat('b', 1200) END)" +
      "::ENUM('" +
      `${'a'.repeat(1200)}', '${'b'.repeat(1200)}') AS e, range AS i FROM range(20000)`;
    assert.ok(DataType.isDictionary((await client.query(text)).schema.fields[0]?.type));
    const wrong = await client.setSessionOptions({ types: 'values' });
    assert.deepEqual([...wrong.errors], [['types', 'INVALID_VALUE']]);
    assert.equal((await client.setSessionOptions({ types: 'plain' })).errors.size, 0);
    const info = await client.execute(text);
    const [endpoint] = info.endpoints;
    assert.ok(endpoint !== undefined);
    let largest = 0;
    let rows = 0;
    for await (const { dataBody, dataHeader } of client.flight.doGet(endpoint.ticket).raw()) {
      const header = decodeMessageHeader(dataHeader);
      assert.notEqual(header.kind, 'dictionary');
      largest = Math.max(largest, dataBody.length);
      if (header.kind === 'batch') rows += header.length;
    }
    assert.equal(rows, 20_000);
    assert.ok(largest < 4 * 1024 * 1024, String(largest));
    const table = await client.readAll(info);
    assert.ok(DataType.isUtf8(table.schema.fields[0]?.type));
    for (const row of [0, 1, 2, 10_001, 19_998, 19_999]) {
      assert.equal(table.get(row)?.['e'], ['a'.repeat(1200), 'b'.repeat(1200), null][row % 3]);
      assert.equal(table.get(row)?.['i'], BigInt(row));
    }
    // a header of the call goes before the session
    const kept = await client.query("SELECT 'a'::ENUM('a') AS e", {
      headers: { 'x-peregrine-types': 'arrow' },
    });
    assert.ok(DataType.isDictionary(kept.schema.fields[0]?.type));
    const unsigned = await client.query(
      "SELECT u.*, [{'ub': ub, 'us': us}] AS l FROM (VALUES (255::UTINYINT, 65535::USMALLINT, 4294967295::UINTEGER, " +
        '18446744073709551615::UBIGINT), (NULL, 0, 1, 2)) u(ub, us, ui, ul) ORDER BY ui DESC',
    );
    assert.deepEqual(
      unsigned.schema.fields.map(({ type }) => String(type).replace(/\[20e.*/, '')),
      ['Int16', 'Int32', 'Int64', 'Decimal', 'List<Struct<{ub:Int16, us:Int32}>>'],
    );
    assert.deepEqual(
      unsigned.toArray().map(({ l, ...row }) => [...Object.values(row).map(String), String(l)]),
      [
        ['255', '65535', '4294967295', '18446744073709551615', '[{"ub": 255, "us": 65535}]'],
        ['null', '0', '1', '2', '[{"ub": null, "us": 0}]'],
      ],
    );
    await client.executeUpdate("CREATE TABLE enums (e ENUM('a', 'b'))");
    const [described] = await client.getTables({ tableNameFilterPattern: 'enums', includeSchema: true });
    assert.ok(DataType.isUtf8(described?.schema?.fields[0]?.type));
    const sized = await client.query(
      "SELECT 'a' AS s, 'a'::BLOB AS b, 'a'::ENUM('a') AS e, 1.5::DECIMAL(9, 2) AS d, 1 AS i",
    );
    assert.deepEqual(
      sized.schema.fields.map(({ metadata }) => metadata.get('ARROW:FLIGHT:SQL:PRECISION')),
      ['2147483647', '2147483647', '2147483647', '9', undefined],
    );
    await client.closeSession();
  });
});
