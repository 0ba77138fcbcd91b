/** Apache's JDBC driver for Flight SQL against our data server over DuckDB. */

import { conformanceFile, javaArchive } from './peers.ts';
import { programChecks } from './program-checks.ts';

programChecks('the JDBC driver', {
  command: 'java',
  args: [
    // Arrow's memory reaches into java.nio.
    '--add-opens=java.base/java.nio=ALL-UNNAMED',
    '-cp',
    javaArchive('flight-sql-jdbc-driver-18.3.0.jar'),
    conformanceFile('java/JdbcChecks.java'),
  ],
  addressOf: (port) => `jdbc:arrow-flight-sql://127.0.0.1:${port}/?useEncryption=false`,
});
