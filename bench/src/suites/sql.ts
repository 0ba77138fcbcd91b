import { lineitem } from '../inputs.ts';
import { compare } from '../measure.ts';
import { node, python, rowReader, startPeregrine, startServer } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** All columns of all rows. */
const everything = 'from lineitem';

/** A query over 6 million rows: our data server against DuckDB behind pyarrow.flight, and the engines alone. */
export async function sql({ rounds, onResult }: SuiteOptions): Promise<void> {
  const file = await lineitem();
  const ours = await startPeregrine(file);
  const theirs = await startServer(python('sql_server.py', file));
  const unit = 'million rows/s';
  try {
    const location = ours.flight.replace('grpc+tcp', 'grpc');
    const pyarrow = rowReader(
      'pyarrow ← DuckDB in Python',
      python('sql_client.py', theirs.address, everything),
    );
    onResult(
      await compare(
        'SQL over Flight',
        unit,
        rowReader('pyarrow ← ours', python('sql_client.py', location, everything)),
        pyarrow,
        { rounds, must: 1, aim: 1.5 },
      ),
    );
    onResult(
      await compare(
        'SQL over Flight',
        unit,
        rowReader('ours ← ours, scoped()', node('sql-client.js', location, everything)),
        pyarrow,
        { rounds },
      ),
    );
  } finally {
    await ours.stop();
    await theirs.stop();
  }
  onResult(
    await compare(
      'Engine alone',
      unit,
      rowReader('DuckDB into IPC bodies', node('engine-rows.js', file)),
      rowReader('DuckDB in Python', python('sql_engine.py', file)),
      { rounds, must: 0.8, aim: 1.2 },
    ),
  );
}
