/** pandas, polars and SQLAlchemy by ADBC's Flight SQL driver against our data server over DuckDB. */

import { pythonChecks } from './python-checks.ts';
import { startSqlServer } from './sql-server.ts';

pythonChecks('data frames and SQLAlchemy', 'frames_checks.py', startSqlServer);
