import type { FlightSqlClient } from '@peregrine/flight/sql';

/** Words that statements are made of; the server's own tables and columns come beside them. */
const keywords =
  'ALTER AND AS ASC BEGIN BETWEEN BY CASE CAST COMMIT COPY COUNT CREATE CROSS DELETE DESC DESCRIBE DISTINCT DROP ELSE END ' +
  'EXCEPT EXISTS EXPLAIN FALSE FROM FULL GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT NOT NULL ' +
  'OFFSET ON OR ORDER OUTER OVER PARTITION RIGHT ROLLBACK SELECT SET SHOW SUMMARIZE TABLE THEN TRUE UNION UPDATE USING ' +
  'VALUES VIEW WHEN WHERE WINDOW WITH';

/** The names that a server knows, for completion. */
export interface KnownNames {
  /** Tables and columns as SQL writes them. */
  list(): readonly string[];
  /** Asks the server again, without anybody waiting for it. */
  refresh(): void;
}

/** Asks a server for its tables and columns. */
export function createKnownNames(client: FlightSqlClient): KnownNames {
  let names: readonly string[] = [];
  return {
    list: () => names,
    refresh() {
      void client.getTables({ includeSchema: true }).then(
        (tables) => {
          const found = tables.flatMap(({ tableName, schema }) => [
            tableName,
            ...(schema?.fields.map((field) => field.name) ?? []),
          ]);
          names = [...new Set(found.map((name) => quoted(name)))].sort();
        },
        // Without names there are still keywords.
        () => undefined,
      );
    },
  };
}

/** What the word at the end of a line may become, and the word, as readline wants it. */
export function complete(
  line: string,
  names: readonly string[],
  commands: readonly string[],
): [string[], string] {
  if (/^\s*\\\S*$/.test(line)) {
    const begun = line.trimStart();
    return [commands.filter((command) => command.startsWith(begun)), begun];
  }
  const word = /(?:"[^"]*|[\p{L}\p{N}_]*)$/u.exec(line)?.[0] ?? '';
  if (word === '') return [[], word];
  const begun = word.toLowerCase();
  const isLower = word === begun;
  const found = keywords.split(' ').map((keyword) => (isLower ? keyword.toLowerCase() : keyword));
  const fits = (name: string): boolean =>
    name.toLowerCase().startsWith(begun) || name.toLowerCase().startsWith(`"${begun}`);
  return [[...names.filter(fits), ...found.filter(fits)], word];
}

function quoted(name: string): string {
  return /^[a-z_][a-z\d_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
