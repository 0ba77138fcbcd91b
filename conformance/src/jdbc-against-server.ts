/** Apache's JDBC driver for Flight SQL against our data server over DuckDB. */

import { delimiter } from 'node:path';
import { conformanceFile, javaArchive } from './peers.ts';
import { programChecks } from './program-checks.ts';
import { startSecureSqlServer } from './secure-sql-server.ts';

const archives = ['flight-sql-jdbc-driver-18.3.0.jar', 'HikariCP-5.1.0.jar', 'slf4j-api-2.0.17.jar'];

for (const [title, file, start] of [
  ['the JDBC driver', 'java/JdbcChecks.java', undefined],
  ['the JDBC driver, as tools use it', 'java/JdbcToolChecks.java', undefined],
  ['the JDBC driver, what its settings do', 'java/JdbcSettingChecks.java', undefined],
  ['the JDBC driver, with TLS and accounts', 'java/JdbcSecureChecks.java', startSecureSqlServer],
] as const) {
  programChecks(title, {
    command: 'java',
    args: [
      // Arrow's memory reaches into java.nio.
      '--add-opens=java.base/java.nio=ALL-UNNAMED',
      '-cp',
      archives.map(javaArchive).join(delimiter),
      conformanceFile(file),
    ],
    addressOf: (port) =>
      start === undefined
        ? `jdbc:arrow-flight-sql://127.0.0.1:${port}/?useEncryption=false`
        : `jdbc:arrow-flight-sql://127.0.0.1:${port}/?useEncryption=true`,
    start,
  });
}
