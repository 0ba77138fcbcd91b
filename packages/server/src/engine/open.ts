import { checkTimes, checkWhole } from '../option-checks.ts';
import type { EngineLimits } from './options.ts';
import { createWorkerPool } from './pool/worker-pool.ts';
import type { EngineSpecification } from './specification.ts';
import type { Engine } from './types.ts';

/**
 * Opens a database and makes an engine of it. What an engine is made of is loaded while a thread opens the database.
 *
 * @throws FlightError where it cannot be opened, FlightInvalidArgumentError for a limit that is none
 */
export async function openEngine(specification: EngineSpecification): Promise<Engine> {
  checkLimits(specification);
  const { library, entrypoint, options, dialect, helper } = specification;
  const pool = createWorkerPool(
    { table: undefined, duckdb: dialect === 'duckdb' ? library : undefined, release: undefined },
    {
      maxThreads: specification.maxRunningStatements ?? 16,
      maxQueued: specification.maxQueuedStatements ?? 1_000,
      queueTimeoutMs: specification.queueTimeoutMs ?? 60_000,
      idleMs: 30_000,
    },
  );
  try {
    const [opened, { createEngine }] = await Promise.all([
      pool.run('open', { path: library, entrypoint, options, helper }),
      import('./core.ts'),
    ]);
    return await createEngine(specification, pool, opened);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function checkLimits(limits: EngineLimits): void {
  const { maxRunningStatements, maxQueuedStatements, maxReadAheadBytes } = limits;
  checkWhole({ maxRunningStatements }, 1);
  checkWhole({ maxQueuedStatements, maxReadAheadBytes }, 0);
  checkTimes({ queueTimeoutMs: limits.queueTimeoutMs }, 0);
  checkTimes({ statementTimeoutMs: limits.statementTimeoutMs }, 1);
}
