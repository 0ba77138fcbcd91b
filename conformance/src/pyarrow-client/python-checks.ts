import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `client.py` needs to know to connect. */
export interface ConnectionFacts {
  readonly uri: string;
  readonly rootCertificates?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly foreignCert?: string;
  readonly foreignKey?: string;
}

// conformance/dist/src/pyarrow-client → the repository
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const script = join(root, 'conformance', 'python', 'client.py');

/** The Python interpreter with pyarrow. */
function pythonPath(): string {
  const given = process.env['PEREGRINE_PYTHON'];
  if (given !== undefined && given !== '') return given;
  const inVenv =
    process.platform === 'win32'
      ? join(root, '.venv', 'Scripts', 'python.exe')
      : join(root, '.venv', 'bin', 'python');
  if (!existsSync(inVenv)) {
    throw new Error(
      `these checks need Python with pyarrow: set PEREGRINE_PYTHON, or run node scripts/peers.mjs python, which makes ${inVenv}`,
    );
  }
  return inVenv;
}

/** The names of all checks by group, as the script has them. */
export async function listChecks(): Promise<ReadonlyMap<string, readonly string[]>> {
  const listed: unknown = JSON.parse(await runPython(['--list'], ''));
  if (typeof listed !== 'object' || listed === null) throw new Error('client.py --list gave no object');
  return new Map(
    Object.entries(listed).map(([group, names]) => [group, Array.isArray(names) ? names.map(String) : []]),
  );
}

/** Runs a group of checks; the outcome of each: undefined when it passed, otherwise the traceback. */
export async function runChecks(
  group: string,
  facts: ConnectionFacts,
): Promise<ReadonlyMap<string, string | undefined>> {
  const outcomes = new Map<string, string | undefined>();
  for (const line of (await runPython([group], JSON.stringify(facts))).split('\n')) {
    if (line === '') continue;
    const { check, error }: { check?: unknown; error?: unknown } = JSON.parse(line);
    outcomes.set(String(check), typeof error === 'string' ? error : undefined);
  }
  return outcomes;
}

function runPython(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(pythonPath(), [script, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(new Error(`client.py ${args.join(' ')} ended with ${signal ?? code}:\n${errors}\n${output}`));
    });
    child.stdin.end(input);
  });
}
