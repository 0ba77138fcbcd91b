// Generates src/proto/gen from proto/*.proto; proto/README.md tells what is needed for it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { env, exit, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const output = join(folder, 'src', 'proto', 'gen');
const [compiler, ...first] = (env.PROTOC ?? 'protoc').split(' ');
const plugin = createRequire(import.meta.url).resolve('@bufbuild/protoc-gen-es/package.json');

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const { status, error } = spawnSync(
  compiler,
  [
    ...first,
    '--proto_path=proto',
    `--plugin=protoc-gen-es=${join(dirname(plugin), 'bin', 'protoc-gen-es')}`,
    `--es_out=${output}`,
    '--es_opt=target=ts,import_extension=ts,erasable_syntax=true',
    'proto/flight.proto',
    'proto/flight_sql.proto',
    'proto/health.proto',
  ],
  {
    cwd: folder,
    stdio: 'inherit',
    env: { ...env, PATH: `${dirname(execPath)}${delimiter}${env.PATH}` },
  },
);
if (error !== undefined) {
  throw new Error(`cannot run ${compiler}; proto/README.md tells how to get it`, { cause: error });
}
exit(status ?? 1);
