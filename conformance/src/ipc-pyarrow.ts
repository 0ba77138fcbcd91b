/** What our IPC writers make of tables that pyarrow wrote, read again and compared by pyarrow. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type EncodedMessage,
  IpcEncoder,
  IpcFileWriter,
  IpcStreamWriter,
  type IpcStreamWriteOptions,
  ipcStreamMessages,
  readIpcStreamSync,
  toArrowSchema,
  encodeSchema,
  decodeMessageHeader,
  encodeRecordBatchHeader,
  writeIpcFile,
  writeIpcStream,
} from '@peregrine/flight/ipc';
import type { RecordBatch, Schema } from 'apache-arrow';
import { conformanceFile, pythonPath } from './peers.ts';

interface Entry {
  readonly file: string;
  readonly kind: 'stream' | 'file';
  readonly source: string;
  readonly start: number;
  readonly length: number;
}

const rows = 200;

/** Writes messages as a stream. */
function streamOf(schema: Schema, messages: readonly EncodedMessage[]): Uint8Array[] {
  const writer = new IpcStreamWriter(schema);
  return [...writer.start(), ...messages.flatMap((message) => writer.message(message)), ...writer.end()];
}

/** Ways to write the same batches. */
const ways: Readonly<Record<string, (batches: readonly RecordBatch[], schema: Schema) => Uint8Array[]>> = {
  stream: (batches) => writeIpcStream(batches),
  'stream of V4': (batches) => writeIpcStream(batches, { metadataVersion: 'V4' }),
  'stream with LZ4': (batches) => writeIpcStream(batches, { compression: 'lz4', alignment: 64 }),
  'stream with deltas': (batches) => writeIpcStream(batches, { emitDictionaryDeltas: true }),
  file: (batches) => writeIpcFile(batches),
  'stream of slices': (batches, schema) => {
    const encoder = new IpcEncoder(schema);
    const slices = batches.flatMap((batch) =>
      Array.from({ length: Math.ceil(batch.numRows / 13) }, (_, i) => batch.slice(13 * i, 13 * i + 13)),
    );
    return streamOf(
      schema,
      slices.flatMap((slice) => encoder.batch(slice)),
    );
  },
  'stream of small dictionaries': (batches, schema) => {
    const encoder = new IpcEncoder(schema, { splitDictionariesAbove: 150 });
    return streamOf(
      schema,
      batches.flatMap((batch) => encoder.batch(batch)),
    );
  },
  'stream of parts and small dictionaries': (batches, schema) => {
    const encoder = new IpcEncoder(schema, {
      splitDictionariesAbove: 100,
      compression: 'lz4',
      alignment: 64,
    });
    const messages: EncodedMessage[] = [];
    for (const batch of batches) {
      const prepared = encoder.prepare(batch);
      for (const { batch: part, dictionaries } of prepared.parts(2000, 23))
        messages.push(...dictionaries, part);
      prepared.commit();
    }
    return streamOf(schema, messages);
  },
  'stream of parts': (batches, schema) => {
    const encoder = new IpcEncoder(schema, { emitDictionaryDeltas: true, splitDictionariesAbove: 300 });
    const messages: EncodedMessage[] = [];
    for (const batch of batches) {
      const prepared = encoder.prepare(batch);
      messages.push(...prepared.dictionaries);
      prepared.commit();
      for (let from = 0; from < prepared.rows; from += 17) {
        messages.push(prepared.encode(from, Math.min(prepared.rows, from + 17)));
      }
    }
    return streamOf(schema, messages);
  },
};

describe('Arrow IPC that pyarrow reads', () => {
  let folder = '';
  let every: RecordBatch | undefined;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'peregrine-ipc-'));
    const { output, passed } = run('make');
    assert.ok(passed, output);
    const [batch] = [...readIpcStreamSync(readFileSync(join(folder, 'every.arrows')), { validate: 'full' })];
    every = batch;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(
    command: 'make' | 'random' | 'check',
    ...more: readonly string[]
  ): { readonly passed: boolean; readonly output: string } {
    const script = conformanceFile('python/ipc_tables.py');
    const { status, stderr, stdout } = spawnSync(pythonPath(), [script, command, folder, ...more], {
      encoding: 'utf8',
    });
    return { passed: status === 0, output: stdout + stderr };
  }

  function source(): RecordBatch {
    assert.ok(every !== undefined);
    return every;
  }

  /** Has pyarrow compare files with rows of their source; its complaints are the error. */
  function check(entries: readonly Entry[]): void {
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(entries));
    const { output, passed } = run('check');
    assert.ok(passed, `pyarrow complains:\n${output}`);
    assert.match(output, new RegExp(`"checked": ${entries.length}, "problems": 0`));
  }

  function put(file: string, pieces: readonly Uint8Array[]): void {
    writeFileSync(join(folder, file), Buffer.concat(pieces));
  }

  it('holds every type, whole and cut anywhere', () => {
    const entries: Entry[] = [];
    const cuts = [
      [0, rows],
      [0, 8],
      [8, 64],
      [5, 1],
      [7, 100],
      [64, 128],
      [199, 1],
      [3, 0],
    ] as const;
    for (const [start, length] of [...cuts, ...Array.from({ length: 20 }, (_, i) => [i, 3 * i] as const)]) {
      const file = `cut-${start}-${length}.arrows`;
      put(file, writeIpcStream([source().slice(start, start + length)]));
      entries.push({ file, kind: 'stream', source: 'every.arrows', start, length });
    }
    check(entries);
  });

  it('is cut into parts without slicing first', () => {
    const writer = new IpcStreamWriter(source().schema);
    const pieces = writer.start();
    for (let from = 0; from < rows; from += 37) pieces.push(...writer.batch(source().slice(from, from + 37)));
    put('parts.arrows', [...pieces, ...writer.end()]);
    check([{ file: 'parts.arrows', kind: 'stream', source: 'every.arrows', start: 0, length: rows }]);
  });

  it('can be compressed, aligned to 64 bytes, of version V4, and framed as before 0.15', () => {
    const all: Record<string, IpcStreamWriteOptions> = {
      lz4: { compression: 'lz4' },
      zstd: { compression: 'zstd' },
      aligned: { alignment: 64 },
      aligned_zstd: { alignment: 64, compression: 'zstd' },
      v4: { metadataVersion: 'V4' },
      legacy: { legacyFraming: true, metadataVersion: 'V4' },
    };
    const entries: Entry[] = [];
    for (const [name, options] of Object.entries(all)) {
      put(`${name}.arrows`, writeIpcStream([source().slice(11, 150)], options));
      put(`${name}.arrow`, writeIpcFile([source().slice(11, 150)], options));
      const part = { source: 'every.arrows', start: 11, length: 139 };
      entries.push({ file: `${name}.arrows`, kind: 'stream', ...part });
      entries.push({ file: `${name}.arrow`, kind: 'file', ...part });
    }
    check(entries);
  });

  it('holds dictionaries that grow, are replaced and are unified', () => {
    const batches = [...readIpcStreamSync(readFileSync(join(folder, 'growing.arrows')))];
    put('replaced.arrows', writeIpcStream(batches));
    put('deltas.arrows', writeIpcStream(batches, { emitDictionaryDeltas: true }));
    put('unified.arrow', writeIpcFile(batches));
    const all = { source: 'growing.arrows', start: 0, length: 200 };
    check([
      { file: 'replaced.arrows', kind: 'stream', ...all },
      { file: 'deltas.arrows', kind: 'stream', ...all },
      { file: 'unified.arrow', kind: 'file', ...all },
    ]);
  });

  it('holds large dictionaries in a first part and deltas, as a stream and as a file', () => {
    const [batch] = [...readIpcStreamSync(readFileSync(join(folder, 'large_dictionaries.arrows')))];
    assert.ok(batch !== undefined);
    const entries: Entry[] = [];
    for (const splitDictionariesAbove of [500, 5000, 50_000]) {
      for (const compression of [undefined, 'zstd'] as const) {
        const encoder = new IpcEncoder(batch.schema, {
          splitDictionariesAbove,
          emitDictionaryDeltas: true,
          // The dictionary with another one in its values stays whole: these go into a file as well.
          allowDictionaryReplacement: false,
          compression,
        });
        const messages = encoder.batch(batch);
        assert.ok(messages.length > 10, `${messages.length} messages`);
        for (const kind of ['stream', 'file'] as const) {
          const writer =
            kind === 'file' ? new IpcFileWriter(batch.schema) : new IpcStreamWriter(batch.schema);
          const pieces = [...writer.start(), ...messages.flatMap((message) => writer.message(message))];
          const file = `large-${splitDictionariesAbove}-${compression ?? 'plain'}.${kind}`;
          put(file, [...pieces, ...writer.end()]);
          entries.push({ file, kind, source: 'large_dictionaries.arrows', start: 0, length: rows });
        }
      }
    }
    check(entries);
  });

  it('holds random nested types, written in every way', () => {
    const seed = process.env['IPC_RANDOM_SEED'] ?? '1';
    const count = Number(process.env['IPC_RANDOM_COUNT'] ?? 40);
    const made = run('random', seed, String(count));
    assert.ok(made.passed, made.output);
    const entries: Entry[] = [];
    for (let i = 0; i < count; i++) {
      const name = `random-${i}.arrows`;
      const batches = [...readIpcStreamSync(readFileSync(join(folder, name)), { validate: 'full' })];
      const [first] = batches;
      assert.ok(first !== undefined);
      const length = batches.reduce((sum, batch) => sum + batch.numRows, 0);
      for (const [way, write] of Object.entries(ways)) {
        const kind = way.startsWith('file') ? 'file' : 'stream';
        try {
          put(`${i}-${way}`, write(batches, first.schema));
        } catch (error) {
          // The dictionaries of all batches together may have more values than an int8 can count.
          if (kind === 'file' && /use a wider index type/.test(String(error))) continue;
          throw new Error(`${name}, ${way}`, { cause: error });
        }
        entries.push({ file: `${i}-${way}`, kind, source: name, start: 0, length });
      }
    }
    check(entries);
  });

  it('passes on types that apache-arrow has no class for, and their schema written again', async () => {
    const bytes = readFileSync(join(folder, 'raw.arrows'));
    const writer = new IpcStreamWriter(source().schema);
    const forwarded: Uint8Array[] = [];
    const rewritten: Uint8Array[] = [];
    for await (const { header, message, body } of ipcStreamMessages(bytes)) {
      const again =
        message.kind === 'schema'
          ? encodeSchema(message.schema)
          : message.kind === 'batch'
            ? encodeRecordBatchHeader(message, body.byteLength)
            : header;
      forwarded.push(...writer.message({ header, bodyPieces: [body], bodyLength: body.byteLength }));
      rewritten.push(...writer.message({ header: again, bodyPieces: [body], bodyLength: body.byteLength }));
    }
    put('forwarded.arrows', [...forwarded, ...writer.end()]);
    put('rewritten.arrows', [...rewritten, ...writer.end()]);
    const all = { kind: 'stream', source: 'raw.arrows', start: 0, length: rows } as const;
    check([
      { file: 'forwarded.arrows', ...all },
      { file: 'rewritten.arrows', ...all },
    ]);
  });

  it('has schemas that say the same as those of pyarrow', () => {
    const header = encodeSchema(source().schema);
    const decoded = decodeMessageHeader(header);
    assert.ok(decoded.kind === 'schema');
    assert.deepEqual(decoded.schema, toArrowSchema(source().schema));
  });

  it('can be written message by message into a file', () => {
    const writer = new IpcFileWriter(source().schema, { metadata: new Map([['app', 'peregrine']]) });
    const pieces = [
      ...writer.start(),
      ...writer.batch(source().slice(0, 90)),
      ...writer.batch(source().slice(90)),
    ];
    put('steps.arrow', [...pieces, ...writer.end()]);
    check([{ file: 'steps.arrow', kind: 'file', source: 'every.arrows', start: 0, length: rows }]);
  });
});
