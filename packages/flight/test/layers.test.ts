// The rules of ARCHITECTURE.md and CONTRIBUTING.md that a look at the sources can show.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { codeOnly, importedModules, sourceFiles } from './source-files.ts';

/** What each folder of src may import from, beside itself and the files that belong to no layer. */
const layers: Readonly<Record<string, readonly string[]>> = {
  bytes: [],
  http2: ['bytes'],
  grpc: ['bytes', 'http2'],
  proto: ['bytes', 'http2', 'grpc'],
  ipc: ['bytes', 'http2', 'grpc', 'proto'],
  model: ['bytes', 'http2', 'grpc', 'proto', 'ipc'],
  stream: ['bytes', 'http2', 'grpc', 'proto', 'ipc', 'model'],
  auth: ['bytes', 'grpc', 'proto', 'model'],
  middleware: ['bytes', 'grpc', 'proto', 'model'],
  client: ['bytes', 'http2', 'grpc', 'proto', 'ipc', 'model', 'stream', 'auth', 'middleware'],
  server: ['bytes', 'http2', 'grpc', 'proto', 'ipc', 'model', 'stream', 'auth', 'middleware'],
  sql: ['bytes', 'grpc', 'proto', 'ipc', 'model', 'stream', 'auth', 'middleware', 'client', 'server'],
};

/** Files in src itself that every layer may import. */
const shared: readonly string[] = ['errors.ts', 'diagnostics.ts'];

/** Node's own modules, the peer dependency, and the dependencies of docs/dependencies.md. */
const allowedModules = /^(?:node:|apache-arrow$|@bufbuild\/protobuf(?:\/|$)|@bokuweb\/zstd-wasm$)/;

describe('the sources', () => {
  const files = sourceFiles('src');

  it('import only from layers before their own', () => {
    const wrong: string[] = [];
    for (const { path, text } of files) {
      const from = path.split('/').slice(1);
      const [layer = ''] = from;
      const allowed = layer === 'limits' ? [] : from.length === 1 ? undefined : layers[layer];
      if (from.length > 1 && allowed === undefined) wrong.push(`${path}: no such layer`);
      for (const name of importedModules(text)) {
        if (!name.startsWith('.')) continue;
        const target = posix.join(posix.dirname(path), name).split('/').slice(1);
        // the limits of a layer count as its own
        const [other = ''] = target[0] === 'limits' ? [target[1]?.replace('.ts', '')] : target;
        if (target.length === 1 && shared.includes(other)) continue;
        if (
          from.length === 1 ? path === 'src/index.ts' : other === layer || allowed?.includes(other) === true
        ) {
          continue;
        }
        wrong.push(`${path} imports ${name}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('touch sockets in one place, http2/sockets', () => {
    const pattern = /^import\s+(?!type\b)([^;]*?)\s+from 'node:(?:net|tls|http2?|https|dgram)'/gm;
    const harmless = /^(?:type \w+|createSecureContext|rootCertificates|isIP|isIPv4|isIPv6)$/;
    // endpoints at http locations are fetched by Node's own HTTP client: they are not gRPC
    const users = files
      .filter(({ path }) => !path.startsWith('src/http2/sockets/') && path !== 'src/client/http-endpoint.ts')
      .filter(({ text }) =>
        [...text.matchAll(pattern)].some(([, names = '']) =>
          names
            .split(/[{},]/)
            .map((name) => name.trim())
            .some((name) => name !== '' && !harmless.test(name)),
        ),
      );
    assert.deepEqual(
      users.map(({ path }) => path),
      [],
    );
  });

  it('name relative modules by their .ts files, and import no packages but these', () => {
    const wrong = files.flatMap(({ path, text }) =>
      importedModules(text)
        .filter((name) => !(name.startsWith('.') ? name.endsWith('.ts') : allowedModules.test(name)))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('have no file above 500 lines', () => {
    const long = [...files, ...sourceFiles('test')].filter(({ text }) => text.split('\n').length > 501);
    assert.deepEqual(
      long.map(({ path }) => path),
      [],
    );
  });

  it('name each thing that they export', () => {
    // Default exports, `any` and syntax that is not erased are the linter's and the compiler's business.
    assert.deepEqual(
      files.filter(({ text }) => /\bexport\s+\*/.test(codeOnly(text))).map(({ path }) => path),
      [],
    );
  });

  it('leave nothing to be done in comments, and skip no test', () => {
    const all = [...files, ...sourceFiles('test')];
    const left = all.filter(({ text }) => /\b(?:TO[D]O|FIX[M]E|XX[X])\b/.test(text));
    const skipping = all.filter(({ text }) =>
      /\b(?:it|test|describe)\.(?:skip|only|todo)\(/.test(codeOnly(text)),
    );
    assert.deepEqual(
      [...left, ...skipping].map(({ path }) => path),
      [],
    );
  });
});
