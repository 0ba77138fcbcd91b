/** arrow-go's Flight SQL client against our data server over DuckDB. */

import { goProgram } from './peers.ts';
import { programChecks } from './program-checks.ts';
import { startSecureSqlServer } from './secure-sql-server.ts';

programChecks("arrow-go's Flight SQL client", {
  command: goProgram('flight-sql-checks'),
  args: [],
  addressOf: (port) => `127.0.0.1:${port}`,
});

programChecks("arrow-go's driver for database/sql, with TLS and accounts", {
  command: goProgram('flight-sql-checks'),
  args: ['--secure'],
  addressOf: (port) => `127.0.0.1:${port}`,
  start: startSecureSqlServer,
});
