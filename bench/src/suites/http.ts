import { lineitem } from '../lineitem.ts';
import { compare } from '../measure.ts';
import { type Program, python, rowReader, startPeregrine } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** The same rows of the same server by HTTP in several formats, against Flight. */
export async function http({ rounds, onResult }: SuiteOptions): Promise<void> {
  const ours = await startPeregrine(await lineitem());
  try {
    const flight = (query: string): Program =>
      python('sql_client.py', ours.flight.replace('grpc+tcp', 'grpc'), query);
    const measure = async (
      name: string,
      format: string,
      query: string,
      budget: { must?: number; aim?: number },
    ): Promise<void> =>
      onResult(
        await compare(
          query,
          'million rows/s',
          rowReader(name, python('http_client.py', format, ours.http, query)),
          rowReader('Flight', flight(query)),
          { rounds, ...budget },
        ),
      );
    await measure('HTTP, Arrow stream', 'arrow', 'from lineitem', { must: 0.7, aim: 0.9 });
    await measure('HTTP, Parquet', 'parquet', 'from lineitem', {});
    // a tenth of the rows: a parser of JSON in Python is slow
    await measure('HTTP, JSON', 'json', 'from lineitem limit 600000', {});
  } finally {
    await ours.stop();
  }
}
