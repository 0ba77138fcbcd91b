import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FlightDataError, FlightInternalError, FlightResourceExhaustedError } from '../../errors.ts';

/** Zstandard, wherever it comes from. */
export interface Zstd {
  compress(bytes: Uint8Array, level: number): Uint8Array;
  /** Decompresses to at most `byteLength` bytes. */
  decompress(bytes: Uint8Array, byteLength: number): Uint8Array;
}

/** The two constructors that are used; Node's types leave WebAssembly to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

/** What we use of the package's Emscripten module. Pointers and sizes are 32-bit integers, 0 is the null pointer. */
interface ZstdModule {
  instantiateWasm?: (imports: object, receive: (instance: object) => void) => object;
  readonly init: () => void;
  /** Changes whenever the memory grows. */
  readonly HEAPU8: Uint8Array;
  readonly calledRun?: boolean;
  readonly _malloc: (byteLength: number) => number;
  readonly _free: (pointer: number) => void;
  readonly _ZSTD_isError: (code: number) => number;
  readonly _ZSTD_compressBound: (byteLength: number) => number;
  readonly _ZSTD_createCCtx: () => number;
  readonly _ZSTD_compress_usingDict: (
    context: number,
    to: number,
    room: number,
    from: number,
    byteLength: number,
    dictionary: number,
    dictionaryLength: number,
    level: number,
  ) => number;
  readonly _ZSTD_decompress: (to: number, room: number, from: number, byteLength: number) => number;
}

/**
 * Loads Zstandard as WebAssembly, for Node versions whose zlib has none.
 *
 * The package's own start is asynchronous, for browsers' sake, and its decompression believes the frame about its size.
 * Decoding is synchronous here and knows the size, so its Emscripten module is used directly: started at once, from a
 * copy of our own, so that a program that uses the package as well does not share its memory.
 */
export function loadWasmZstd(): Zstd {
  const module = startModule();
  // One context for all buffers: a new one for each takes as long as compressing 5 KB.
  const compression = module._ZSTD_createCCtx();
  if (compression === 0) {
    throw new FlightResourceExhaustedError('WebAssembly gives no memory to start Zstandard');
  }

  /** Runs `work` on `bytes` copied in, with `room` bytes for the result, and copies that out. */
  const run = (
    bytes: Uint8Array,
    room: number,
    work: (to: number, from: number) => number,
    what: string,
  ): Uint8Array => {
    const from = module._malloc(bytes.byteLength + 1);
    const to = module._malloc(room + 1);
    try {
      if (from === 0 || to === 0) {
        throw new FlightResourceExhaustedError(
          `Zstandard needs ${bytes.byteLength + room} bytes, more than WebAssembly gives; send smaller batches, or run Node 22.15 or later`,
        );
      }
      module.HEAPU8.set(bytes, from >>> 0);
      const code = work(to, from) >>> 0;
      if (module._ZSTD_isError(code) !== 0) {
        throw new FlightDataError(`Zstandard data cannot be ${what} (code ${code - 0x1_0000_0000})`);
      }
      return module.HEAPU8.slice(to >>> 0, (to >>> 0) + code);
    } finally {
      module._free(from);
      module._free(to);
    }
  };
  return {
    compress: (bytes, level) => {
      const room = module._ZSTD_compressBound(bytes.byteLength) >>> 0;
      return run(
        bytes,
        room,
        (to, from) =>
          module._ZSTD_compress_usingDict(compression, to, room, from, bytes.byteLength, 0, 0, level),
        'compressed',
      );
    },
    decompress: (bytes, byteLength) =>
      run(
        bytes,
        byteLength,
        (to, from) => module._ZSTD_decompress(to, byteLength, from, bytes.byteLength),
        `decompressed to ${byteLength} bytes`,
      ),
  };
}

function startModule(): ZstdModule {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@bokuweb/zstd-wasm'));
  const script = join(folder, 'zstd.js');
  const shared = require.cache[script];
  delete require.cache[script];
  const { Module: module }: { Module: ZstdModule } = require(script);
  if (shared === undefined) delete require.cache[script];
  else require.cache[script] = shared;

  const code = new WebAssembly.Module(readFileSync(join(folder, 'zstd.wasm')));
  module.instantiateWasm = (imports, receive) => {
    receive(new WebAssembly.Instance(code, imports));
    return {};
  };
  module.init();
  if (module.calledRun !== true) {
    throw new FlightInternalError(
      'the WebAssembly of Zstandard did not start; run Node 22.15 or later, which has its own',
    );
  }
  return module;
}
