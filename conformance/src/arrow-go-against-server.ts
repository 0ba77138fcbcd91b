/** arrow-go's Flight SQL client against our data server over DuckDB. */

import { goProgram } from './peers.ts';
import { programChecks } from './program-checks.ts';

programChecks("arrow-go's Flight SQL client", {
  command: goProgram('flight-sql-checks'),
  args: [],
  addressOf: (port) => `127.0.0.1:${port}`,
});
