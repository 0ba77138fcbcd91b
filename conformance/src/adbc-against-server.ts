/** ADBC's Flight SQL driver, which is written in Go, against our data server over DuckDB. */

import { pythonChecks } from './python-checks.ts';
import { startSqlServer } from './sql-server.ts';

pythonChecks('the ADBC driver', 'adbc_checks.py', startSqlServer);
